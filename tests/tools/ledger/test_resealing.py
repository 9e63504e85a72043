"""Keys are rotated: the old one opens, the new one seals, and after sealing anew the old one is not needed."""

import pytest

from tests.tools.ledger.builders import Clock, behind_its_back, bring_to
from tools.errors import CounterfoilError
from tools.ledger.ledger import Ledger
from tools.ledger.resealing import OTHER, sealed_columns
from tools.sealing.keyring import CannotOpen, Keyring, new_key

OLD, NEW = new_key("2025"), new_key("2026")
BEFORE, BOTH, AFTER = (Keyring.parse(text) for text in (OLD, f"{NEW},{OLD}", NEW))
WORDS = "I was charged twice, says Ada"


async def fill(ledger: Ledger) -> None:
    """A value in every sealed column but `runs.error`, some of them in tables that are written once."""
    await ledger.create_thread("t1", "owner", {})
    await ledger.record_message("t1", "m1", "customer", "Ada", WORDS, extra={"cards": [WORDS]})
    await ledger.create_run("r1", "t1", "support", {"said": WORDS})
    await ledger.bind_identity("t1", level=1, email="ada@example.com", customer="cus_1", ttl_seconds=600)
    await bring_to(ledger, "approved", details={"who": WORDS}, evidence={"who": WORDS}, outcome="needs_approval")
    await ledger.issue_receipt("action-1", {"who": WORDS})
    await ledger.record_assessment("case-1", "t1", "proposal", request={"who": WORDS}, verdict=VERDICT)
    await ledger.open_ticket("t1", WORDS, {"who": WORDS})
    await ledger.promise("t1", "answer_by", WORDS, ledger._now())
    await ledger.record_feedback("t1", 5, WORDS)


VERDICT = {
    "outcome": "auto", "rule": "refund.duplicate", "policy_version": "2026-11-01", "because": "so",
    "document": "refunds", "anchor": "limits",
}  # fmt: skip


async def resealed(ledger: Ledger) -> int:
    return sum([step.values async for step in ledger.reseal()])


async def test_after_sealing_anew_the_old_key_is_not_needed(url: str, clock: Clock) -> None:
    async with Ledger.open(url, keys=BEFORE, clock=clock) as ledger:
        await fill(ledger)
        sealed = (await ledger.sealed_with())["2025"]
        receipt = await ledger.receipt_of("action-1")
        assert receipt is not None
    async with Ledger.open(url, keys=BOTH, clock=clock) as ledger:
        assert {"2025": sealed} == dict(await ledger.sealed_with())
        assert sealed == await resealed(ledger)
        assert {"2026": sealed} == dict(await ledger.sealed_with())
        assert 0 == await resealed(ledger)
    async with Ledger.open(url, keys=AFTER, clock=clock) as ledger:
        assert [WORDS] == [message.text for message in await ledger.messages("t1")]
        assert receipt == await ledger.receipt_of("action-1")
        assert await ledger.verify_receipt(receipt.number)
        action = await ledger.action("action-1")
        assert action is not None
        assert {"who": WORDS} == action.details == action.evidence
        assert "ada@example.com" == (await ledger.identity("t1")).email


async def test_every_sealed_column_is_filled_here(url: str, clock: Clock) -> None:
    """Or the test above would say nothing of it."""
    async with Ledger.open(url, keys=BEFORE, clock=clock) as ledger:
        await fill(ledger)
    async with Ledger.open(url, keys=BOTH, clock=clock) as ledger:
        steps = {step.place async for step in ledger.reseal()}
    assert {f"{table.name}.{column.name}" for table, column in sealed_columns()} - steps == {"runs.error"}


async def test_what_an_older_release_kept_plain_is_read_and_sealed(url: str, clock: Clock) -> None:
    async with Ledger.open(url, keys=AFTER, clock=clock) as ledger:
        await fill(ledger)
        await behind_its_back(ledger, "UPDATE messages SET text = 'plain words', extra = '{\"cards\": [\"plain\"]}'")
        [message] = await ledger.messages("t1")
        assert ("plain words", {"cards": ["plain"]}) == (message.text, message.extra)

        assert 2 == (await ledger.sealed_with())[OTHER] == await resealed(ledger)

        assert 0 == (await ledger.sealed_with())[OTHER]
        assert [message] == await ledger.messages("t1")


async def test_a_key_that_is_not_given_stops_it_at_once(url: str, clock: Clock) -> None:
    async with Ledger.open(url, keys=BEFORE, clock=clock) as ledger:
        await fill(ledger)
    async with Ledger.open(url, keys=AFTER, clock=clock) as ledger:
        with pytest.raises(CannotOpen, match="'2025'"):
            await resealed(ledger)
        with pytest.raises(CannotOpen, match="'2025'"):
            await ledger.messages("t1")


@pytest.mark.parametrize(
    ("table", "column"),
    [("actions", "reason"), ("approvals", "reason"), ("action_events", "reason"), ("actions", "details")],
)
async def test_what_is_written_once_may_be_erased_or_sealed_and_not_changed(
    url: str, clock: Clock, table: str, column: str
) -> None:
    async with Ledger.open(url, keys=AFTER, clock=clock) as ledger:
        await fill(ledger)
        with pytest.raises(CounterfoilError):
            await behind_its_back(ledger, f"UPDATE {table} SET {column} = '\"nothing was ever wrong\"'")  # noqa: S608
        await behind_its_back(ledger, f"UPDATE {table} SET {column} = '\"erased:1\"'")  # noqa: S608
        await behind_its_back(ledger, f"UPDATE {table} SET {column} = '\"sealed:1:2026:AAAA\"'")  # noqa: S608
