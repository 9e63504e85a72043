import asyncio
import hashlib
from datetime import UTC, datetime

import pytest

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import START, Clock, an_action, behind_its_back, drop_guards
from tools.errors import CounterfoilError, NotFound, Unprocessable
from tools.ledger.digest import sha256_of
from tools.ledger.ledger import Ledger
from tools.ledger.types import Receipt
from tools.money import Money

BODY = {"refund": "re_1", "amount": Money(4900, "usd"), "at": START, "card": {"last4": "4242"}, "share": 0.5}


async def propose(ledger: Ledger, *ids: str) -> None:
    for action_id in ids:
        await ledger.propose_action(an_action(id=action_id))


async def test_a_receipt_says_what_was_done_under_the_digest_of_it(ledger: Ledger) -> None:
    await propose(ledger, "action-1")
    issued = await ledger.issue_receipt("action-1", BODY)
    body = BODY | {"amount": {"amount": 4900, "currency": "usd"}, "at": "2026-11-23T09:00:00Z"}
    text = (
        '{"amount":{"amount":4900,"currency":"usd"},"at":"2026-11-23T09:00:00Z","card":{"last4":"4242"},'
        '"refund":"re_1","share":0.5}'
    )
    expected = Receipt(
        number="CF-2026-000001",
        action="action-1",
        body=body,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        created=START,
    )
    assert expected == issued
    assert expected == await ledger.receipt("CF-2026-000001")
    assert expected == await ledger.receipt_of("action-1")
    assert await ledger.receipt("CF-2026-000002") is None
    assert await ledger.receipt_of("action-2") is None


async def test_an_action_has_one_receipt_however_often_it_is_asked_for(ledger: Ledger, clock: Clock) -> None:
    await propose(ledger, "action-1", "action-2")
    first = await ledger.issue_receipt("action-1", BODY)
    clock.forward(days=1)
    assert first == await ledger.issue_receipt("action-1", {"another": "body"})
    assert (await ledger.issue_receipt("action-2", BODY)).number == "CF-2026-000002"


async def test_numbers_have_no_gap_and_no_twin_under_concurrency(ledger: Ledger, url: str) -> None:
    ids = [f"a{number}" for number in range(15)]
    await propose(ledger, *ids)
    async with Ledger.open(url, keys=KEYS) as another:
        asked = (
            (ledger, another)[n % 2].issue_receipt(action_id, {"n": n})
            for n, action_id in enumerate(ids * 2)  # each is asked for twice
        )
        receipts = await asyncio.gather(*asked)
    numbers = {receipt.action: receipt.number for receipt in receipts}
    assert {f"CF-2026-{number:06d}" for number in range(1, 16)} == set(numbers.values())
    assert [numbers[receipt.action] for receipt in receipts] == [receipt.number for receipt in receipts]


async def test_an_attempt_that_fails_uses_up_no_number(ledger: Ledger) -> None:
    await propose(ledger, "action-1")
    with pytest.raises(NotFound):
        await ledger.issue_receipt("nobody", BODY)
    with pytest.raises(Unprocessable):
        await ledger.issue_receipt("action-1", {"not JSON": object()})
    assert (await ledger.issue_receipt("action-1", BODY)).number == "CF-2026-000001"


async def test_each_year_counts_from_one(ledger: Ledger, clock: Clock) -> None:
    await propose(ledger, "a", "b", "c")
    clock.now = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert (await ledger.issue_receipt("a", BODY)).number == "CF-2026-000001"
    clock.forward(seconds=1)
    assert (await ledger.issue_receipt("b", BODY)).number == "CF-2027-000001"
    assert (await ledger.issue_receipt("c", BODY)).number == "CF-2027-000002"


async def test_a_receipt_as_issued_verifies(ledger: Ledger) -> None:
    await propose(ledger, "action-1")
    receipt = await ledger.issue_receipt("action-1", BODY)
    assert True is await ledger.verify_receipt(receipt.number)
    assert False is await ledger.verify_receipt("CF-2026-000002")


async def test_the_database_itself_refuses_to_change_a_receipt(ledger: Ledger) -> None:
    await propose(ledger, "action-1")
    await ledger.issue_receipt("action-1", BODY)
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, "UPDATE receipts SET body = '{}'")
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, "DELETE FROM receipts")


FORGED = '{"amount":{"amount":1,"currency":"usd"}}'


@pytest.mark.parametrize(
    "change",
    [
        f"body = '{FORGED}'",
        f"digest = '{'0' * 64}'",
        f"body = '{FORGED}', digest = '{hashlib.sha256(FORGED.encode()).hexdigest()}'",
        "action = 'action-2'",
        "audited = 1",
    ],
)
async def test_a_receipt_that_was_changed_does_not_verify(ledger: Ledger, change: str) -> None:
    """The third change is a body with its right digest: only the audit log knows better."""
    await propose(ledger, "action-1", "action-2")
    receipt = await ledger.issue_receipt("action-1", BODY)
    await drop_guards(ledger, "receipts")
    await behind_its_back(ledger, f"UPDATE receipts SET {change}")  # noqa: S608 - the changes are ours
    assert False is await ledger.verify_receipt(receipt.number)


async def test_a_forged_pair_of_receipt_and_audit_entry_does_not_verify(ledger: Ledger) -> None:
    await propose(ledger, "action-1")
    receipt = await ledger.issue_receipt("action-1", BODY)
    await drop_guards(ledger, "receipts")
    await drop_guards(ledger, "audit")
    digest = sha256_of({"amount": {"amount": 1, "currency": "usd"}})
    await behind_its_back(ledger, "UPDATE receipts SET body = :body, digest = :digest", body=FORGED, digest=digest)
    await behind_its_back(ledger, "UPDATE audit SET data = replace(data, :old, :new)", old=receipt.digest, new=digest)
    assert False is await ledger.verify_receipt(receipt.number)
