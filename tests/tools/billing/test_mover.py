"""Writes, over HTTP, to the sandbox. What counts is what Stripe holds afterwards."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tools.billing.analysis import find_duplicates
from tools.billing.mover import StripeMover
from tools.billing.powers import MoneyMover
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import BillingPicture, Charge, Refund
from tools.errors import BillingRefused, BillingUnavailable, OutcomeUnknown
from tools.money import Money

FIVE = Money(500, "usd")


async def picture_of(billing: StripeBilling, email: str) -> BillingPicture:
    (customer,) = await billing.find_by_email(email)
    return await billing.picture(customer.id)


async def charge_of(billing: StripeBilling, email: str = "old@example.com") -> Charge:
    return (await picture_of(billing, email)).charges[0]


@pytest.fixture
def mover(billing: StripeBilling) -> StripeMover:
    return billing.mover()


async def refunded(mover: MoneyMover, charge: Charge, amount: Money = FIVE, key: str = "refund:act_1") -> Refund:
    return await mover.refund(
        charge=charge.id,
        amount=amount,
        reason="requested_by_customer",
        action_id="act_1",
        idempotency_key=key,
    )


async def test_a_refund_carries_our_action(billing: StripeBilling, mover: StripeMover) -> None:
    charge = await charge_of(billing)

    refund = await refunded(mover, charge)

    assert (refund,) == await billing.refunds_of(charge.id)
    assert (refund.charge, refund.amount, refund.status) == (charge.id, FIVE, "succeeded")
    assert (refund.action_id, refund.reason) == ("act_1", "requested_by_customer")


async def test_the_same_key_refunds_once(billing: StripeBilling, mover: StripeMover) -> None:
    charge = await charge_of(billing)

    assert await refunded(mover, charge) == await refunded(mover, charge)
    assert (await billing.charge(charge.id)).refunded == FIVE


async def test_a_refunded_duplicate_is_no_longer_found(billing: StripeBilling, mover: StripeMover) -> None:
    before = await picture_of(billing, "ada@example.com")
    (duplicate,) = find_duplicates(before)

    await mover.refund(
        charge=duplicate.later.id,
        amount=duplicate.later.refundable,
        reason="duplicate",
        action_id="act_2",
        idempotency_key="refund:act_2",
    )

    assert find_duplicates(await billing.picture(before.customer.id)) == ()


async def test_a_pending_refund_is_used_up_at_once(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    client = sandbox.stripe()
    intent = client.v1.payment_intents.create(
        {
            "amount": 3000,
            "currency": "usd",
            "payment_method": "pm_card_pendingRefund",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    charge = await billing.charge(str(intent.latest_charge))

    refund = await refunded(mover, charge, Money(3000, "usd"))

    assert refund.status == "pending"
    assert Money(0, "usd") == (await billing.charge(charge.id)).refundable


async def refusal(mover: StripeMover, charge: Charge, amount: Money = FIVE) -> str:
    with pytest.raises(BillingRefused) as raised:
        await refunded(mover, charge, amount, key=f"{charge.id}:{amount.amount}")
    return raised.value.reason


async def test_what_stripe_refuses_is_refused_with_its_code(billing: StripeBilling, mover: StripeMover) -> None:
    whole = await charge_of(billing)

    assert await refusal(mover, await charge_of(billing, "donald@example.com")) == "charge_disputed"
    assert await refusal(mover, await charge_of(billing, "edsger@example.com")) == "charge_already_refunded"
    assert await refusal(mover, whole, whole.amount + Money(1, "usd")) == "invalid_amount"
    assert await refusal(mover, whole, Money(0, "usd")) == "parameter_invalid_integer"
    assert await billing.refunds_of(whole.id) == ()


async def test_an_id_that_is_none_is_refused_before_it_is_sent(mover: StripeMover) -> None:
    for stripe_id in ("", "../customers", "sub_1?x"):
        with pytest.raises(BillingRefused) as raised:
            await mover.cancel_at_period_end(subscription=stripe_id, action_id="a", idempotency_key="k")
        assert raised.value.reason == "resource_missing"


async def test_an_object_that_is_not_there_is_refused(mover: StripeMover) -> None:
    with pytest.raises(BillingRefused) as raised:
        await mover.stop_collection(invoice="in_missing", action_id="a", idempotency_key="k")
    assert raised.value.reason == "resource_missing"


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_write_without_a_usable_key_is_a_programming_error(
    billing: StripeBilling, mover: StripeMover, key: str
) -> None:
    charge = await charge_of(billing)

    with pytest.raises(ValueError, match="idempotency key"):
        await refunded(mover, charge, key=key)


async def test_a_throttled_write_is_refused_and_nothing_happened(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    charge = await charge_of(billing)
    sandbox.fault(method="POST", path="/v1/refunds", kind="status", status=429, count=3)

    assert await refusal(mover, charge) == "rate_limit"
    assert await billing.refunds_of(charge.id) == ()


BEFORE: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 409},
    {"kind": "html", "status": 502},
    {"kind": "reset"},
    {"kind": "hang"},
]
AFTER: list[dict[str, Any]] = [
    {"kind": "status_after_commit", "status": 503},
    {"kind": "reset_after_commit"},
    {"kind": "hang_after_commit"},
]


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER], ids=str)
async def test_a_write_that_is_never_answered_has_an_unknown_outcome(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    charge = await charge_of(billing)
    sandbox.fault(method="POST", path="/v1/refunds", **fault)
    sandbox.fault(method="POST", path="/v1/refunds", kind="reset", count=2)

    with pytest.raises(OutcomeUnknown) as raised:
        await refunded(mover, charge)

    assert raised.value.message == OutcomeUnknown.default
    assert isinstance(raised.value, BillingUnavailable)
    done = [refund.action_id for refund in await billing.refunds_of(charge.id)]
    assert done == (["act_1"] if fault in AFTER else [])


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER], ids=str)
async def test_a_write_that_is_answered_at_the_second_try_happened_once(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    charge = await charge_of(billing)
    sandbox.fault(method="POST", path="/v1/refunds", count=1, **fault)

    refund = await refunded(mover, charge)

    assert (refund,) == await billing.refunds_of(charge.id)


async def test_a_failure_that_stripe_remembers_stays_unknown_though_the_refund_is_there(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    """Stripe keeps even a 500 as the answer to its key; only reading tells that the money moved."""
    charge = await charge_of(billing)
    sandbox.fault(method="POST", path="/v1/refunds", kind="status_after_commit", status=500)

    with pytest.raises(OutcomeUnknown):
        await refunded(mover, charge)

    assert [refund.action_id for refund in await billing.refunds_of(charge.id)] == ["act_1"]


async def test_a_key_used_before_for_something_else_has_an_unknown_outcome(
    billing: StripeBilling, mover: StripeMover
) -> None:
    charge = await charge_of(billing)
    await refunded(mover, charge, Money(300, "usd"))

    with pytest.raises(OutcomeUnknown):
        await refunded(mover, charge, Money(400, "usd"))

    assert Money(300, "usd") == (await billing.charge(charge.id)).refunded


async def test_an_answer_that_cannot_be_read_is_no_failure(
    billing: StripeBilling, mover: StripeMover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe has acted by then; to say that it failed would invite a second refund."""
    charge = await charge_of(billing)
    monkeypatch.setattr("tools.billing.moves_money.refund_of", lambda raw: raw["a field that Stripe dropped"])

    with pytest.raises(OutcomeUnknown):
        await refunded(mover, charge)


async def test_cancelling_keeps_the_plan_to_its_paid_end(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    (before,) = (await picture_of(billing, "grace@example.com")).subscriptions

    after = await mover.cancel_at_period_end(subscription=before.id, action_id="act_3", idempotency_key="cancel:act_3")

    assert (after.cancel_at_period_end, after.status, after.plan) == (True, "active", "Business")
    assert before.period_end == after.period_end
    assert after == await billing.subscription(before.id)
    assert sandbox.stripe().v1.subscriptions.retrieve(before.id).metadata["action_id"] == "act_3"


async def test_cancelling_twice_with_one_key_is_cancelling_once(billing: StripeBilling, mover: StripeMover) -> None:
    (plan,) = (await picture_of(billing, "grace@example.com")).subscriptions

    answers = [
        await mover.cancel_at_period_end(subscription=plan.id, action_id="act_3", idempotency_key="cancel:act_3")
        for _ in range(2)
    ]

    assert answers[0] == answers[1]


async def test_an_invoice_on_a_plan_is_no_longer_collected_by_stripe(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    (before,) = (await picture_of(billing, "linus@example.com")).invoices

    after = await mover.stop_collection(invoice=before.id, action_id="act_4", idempotency_key="plan:act_4")

    assert replace(before, action_id="act_4", actions=("act_4",)) == after
    held = sandbox.stripe().v1.invoices.retrieve(before.id)
    assert (held.auto_advance, held.metadata and held.metadata["action_id"]) == (False, "act_4")
