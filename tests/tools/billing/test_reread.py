"""What a webhook named, read again."""

from typing import Any

import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tools.billing.stripe_billing import StripeBilling
from tools.billing.translate import refund_of
from tools.errors import BillingUnavailable, NotFound
from tools.money import Money


@pytest.fixture
def refund(sandbox: Sandbox) -> stripe.Refund:
    client = sandbox.stripe()
    paid = next(c for c in client.v1.charges.list({"limit": 100}).data if c.amount == 4900 and not c.amount_refunded)
    return client.v1.refunds.create({"charge": paid.id, "amount": 4000, "metadata": {"action_id": "action-1"}})


async def test_a_refund_has_its_state_action_and_reference(
    billing: StripeBilling, sandbox: Sandbox, refund: stripe.Refund
) -> None:
    now = await billing.refund(refund.id)

    assert (refund.id, refund.charge, Money(4000, "usd"), "succeeded", "action-1", None) == (
        now.id,
        now.charge,
        now.amount,
        now.status,
        now.action_id,
        now.failure_reason,
    )
    assert now.reference == refund.to_dict()["destination_details"]["card"]["reference"]
    assert (now,) == await billing.refunds_of(str(refund.charge))


async def test_a_refund_that_came_back_says_why(
    billing: StripeBilling, sandbox: Sandbox, refund: stripe.Refund
) -> None:
    sandbox.post("refunds", refund=refund.id, status="failed", failure_reason="declined")

    now = await billing.refund(refund.id)

    assert ("failed", "declined") == (now.status, now.failure_reason)


async def test_a_dispute_names_its_charge(billing: StripeBilling, sandbox: Sandbox, refund: stripe.Refund) -> None:
    opened = sandbox.open_dispute(str(refund.charge))

    now = await billing.dispute(opened["id"])

    assert (opened["id"], refund.charge, opened["status"]) == (now.id, now.charge, now.status)


@pytest.mark.parametrize("name", ["re_none", "", "../customers", "re_1?expand=x"])
async def test_what_is_not_there_is_not_found(billing: StripeBilling, sandbox: Sandbox, name: str) -> None:
    with pytest.raises(NotFound):
        await billing.refund(name)


async def test_silence_is_no_answer(billing: StripeBilling, sandbox: Sandbox, refund: stripe.Refund) -> None:
    sandbox.fault(method="GET", path="/v1/refunds/.*", count=100, kind="status", status=500)

    with pytest.raises(BillingUnavailable):
        await billing.refund(refund.id)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("pending", None, None)),
        ({"status": "reviewing"}, ("pending", None, None)),
        ({"status": "failed", "failure_reason": "a\u202enew one"}, ("failed", None, "a new one")),
        ({"destination_details": {"type": "card", "card": {"reference": "7483"}}}, ("pending", "7483", None)),
        ({"destination_details": {"type": "sepa_debit"}}, ("pending", None, None)),
    ],
)
def test_what_stripe_may_add_or_leave_out_does_no_harm(changes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    now = refund_of({"id": "re_1", "amount": 1, "currency": "usd", "created": 0, **changes})

    assert expected == (now.status, now.reference, now.failure_reason)
