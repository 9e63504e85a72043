"""What models and Stripe were asked stands in the audit log, whoever's work it was and however that ended."""

import pytest

from tests.tools.ledger.builders import behind_its_back
from tools.calls import ModelCall, StripeCall, note
from tools.errors import BillingUnavailable, Unavailable
from tools.ledger.ledger import Ledger

LOOK = StripeCall(method="GET", path="/v1/customers/cus_1", status=200, request="req_1", key=None)
SENT = StripeCall(method="POST", path="/v1/refunds", status=None, request=None, key="counterfoil:case_1")
REPLY = ModelCall(model="gpt-5-mini", prompt="resolve@1", outcome="answered", input_tokens=400, output_tokens=50)


async def work_that_fails(ledger: Ledger) -> None:
    async with ledger.recording(case="case_1"):
        note(SENT)
        raise BillingUnavailable


async def entries(ledger: Ledger) -> list[tuple[str, object]]:
    return [(entry.event, entry.data) for entry in await ledger.audit_entries()]


async def test_calls_are_written_with_the_ids_of_the_work(ledger: Ledger) -> None:
    async with ledger.recording(thread="t1", run="r1"):
        note(LOOK)
        note(REPLY)
        note(SENT)

    ids = {"thread": "t1", "run": "r1"}
    model = {"model": "gpt-5-mini", "prompt": "resolve@1", "outcome": "answered"}
    usage = {"input_tokens": 400, "output_tokens": 50, "cost_micro_usd": 200}
    look = {"method": "GET", "path": "/v1/customers/cus_1", "status": 200, "request": "req_1", "key": None}
    sent = {"method": "POST", "path": "/v1/refunds", "status": None, "request": None, "key": "counterfoil:case_1"}
    assert [
        ("model.called", ids | model | usage),
        ("stripe.called", ids | {"calls": [look, sent]}),
    ] == await entries(ledger)
    assert 2 == await ledger.verify_audit()


async def test_work_that_asks_nobody_writes_nothing(ledger: Ledger) -> None:
    async with ledger.recording(case="case_1"):
        pass

    assert [] == await entries(ledger)


async def test_work_that_fails_keeps_its_error_and_its_calls_are_written(ledger: Ledger) -> None:
    with pytest.raises(BillingUnavailable):
        await work_that_fails(ledger)

    assert ["stripe.called"] == [event for event, _ in await entries(ledger)]


async def test_calls_that_cannot_be_written_are_an_error_and_not_a_secret(ledger: Ledger) -> None:
    await behind_its_back(ledger, "ALTER TABLE audit RENAME TO gone")

    with pytest.raises(Unavailable):
        async with ledger.recording(case="case_1"):
            note(LOOK)


async def test_an_error_of_the_work_is_not_hidden_by_the_ledgers(ledger: Ledger) -> None:
    await behind_its_back(ledger, "ALTER TABLE audit RENAME TO gone")

    with pytest.raises(BillingUnavailable):
        await work_that_fails(ledger)
