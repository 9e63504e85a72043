"""The further writes, over HTTP, to the sandbox. What counts is what Stripe holds afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tools.billing.mover import StripeMover
from tools.billing.powers import Address, BillingDetails, MoneyMover, PortalLink, TaxId
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import Customer, Invoice
from tools.errors import BillingRefused, BillingUnavailable, OutcomeUnknown
from tools.money import Money


@pytest.fixture
def mover(billing: StripeBilling) -> StripeMover:
    return billing.mover()


async def linus_of(billing: StripeBilling) -> tuple[Customer, Invoice]:
    """Owes 1,200.00 on an open invoice."""
    (linus,) = await billing.find_by_email("linus@example.com")
    (owed,) = (await billing.picture(linus.id)).invoices
    return linus, owed


def card_of(sandbox: Sandbox, customer: str, method: str = "pm_card_visa") -> str:
    return sandbox.stripe().v1.payment_methods.attach(method, {"customer": customer}).id


async def instalment(mover: MoneyMover, owed: Invoice, customer: str, card: str, **changes: Any) -> Any:
    asked: dict[str, Any] = {"amount": Money(40_000, "usd"), "action_id": "act_1", "idempotency_key": "part:act_1"}
    return await mover.pay_instalment(invoice=owed.id, customer=customer, payment_method=card, **asked | changes)


async def test_the_mover_has_every_power(mover: StripeMover) -> None:
    power: MoneyMover = mover

    assert power is mover


async def test_an_instalment_counts_towards_its_invoice(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    linus, owed = await linus_of(billing)

    paid = await instalment(mover, owed, linus.id, card_of(sandbox, linus.id))

    after = await billing.invoice(owed.id)
    assert (paid.status, paid.amount, paid.invoice) == ("succeeded", Money(40_000, "usd"), owed.id)
    assert (after.status, after.remaining) == ("open", Money(80_000, "usd"))
    assert after.charges == (paid.charge,)
    assert (paid,) == await billing.instalments(linus.id)


async def test_the_last_instalment_pays_the_invoice(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    linus, owed = await linus_of(billing)
    card = card_of(sandbox, linus.id)

    for part in range(3):
        await instalment(mover, owed, linus.id, card, action_id=f"act_{part}", idempotency_key=f"part:{part}")

    after = await billing.invoice(owed.id)
    assert (after.status, after.remaining, len(after.payments)) == ("paid", Money(0, "usd"), 4)


async def test_an_instalment_that_is_repeated_is_paid_once(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    linus, owed = await linus_of(billing)
    card = card_of(sandbox, linus.id)

    assert await instalment(mover, owed, linus.id, card) == await instalment(mover, owed, linus.id, card)
    assert Money(80_000, "usd") == (await billing.invoice(owed.id)).remaining


async def test_a_card_that_is_declined_pays_nothing(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    linus, owed = await linus_of(billing)

    with pytest.raises(BillingRefused) as raised:
        await instalment(mover, owed, linus.id, card_of(sandbox, linus.id, "pm_card_chargeCustomerFail"))

    assert raised.value.reason == "declined"
    (left,) = await billing.instalments(linus.id)
    assert (left.status, left.action_id) == ("canceled", "act_1")
    assert owed.remaining == (await billing.invoice(owed.id)).remaining


async def test_an_invoice_that_takes_no_payment_costs_nobody_anything(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    """It was voided between the proposal and the charge."""
    linus, owed = await linus_of(billing)
    card = card_of(sandbox, linus.id)
    sandbox.stripe().v1.invoices.void_invoice(owed.id)

    with pytest.raises(BillingRefused):
        await instalment(mover, owed, linus.id, card)

    (left,) = await billing.instalments(linus.id)
    assert (left.status, left.charge) == ("canceled", None)


@pytest.mark.parametrize("step", ["payment_intents$", "attach_payment$", "confirm$"])
@pytest.mark.parametrize("kind", ["reset", "reset_after_commit"])
async def test_an_instalment_cut_short_anywhere_is_found_and_finished_under_its_key(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox, step: str, kind: str
) -> None:
    linus, owed = await linus_of(billing)
    card = card_of(sandbox, linus.id)
    sandbox.fault(method="POST", path=step, kind=kind, count=1)
    sandbox.fault(method="POST", path=step, kind="reset", count=2)

    with pytest.raises(OutcomeUnknown):
        await instalment(mover, owed, linus.id, card)
    known = await billing.instalments(linus.id)
    moved = [each for each in known if each.status == "succeeded"]
    finished = await instalment(mover, owed, linus.id, card)

    assert len(moved) == (1 if (step, kind) == ("confirm$", "reset_after_commit") else 0)
    assert {each.action_id for each in known} <= {"act_1"}
    assert (finished,) == await billing.instalments(linus.id)
    assert Money(80_000, "usd") == (await billing.invoice(owed.id)).remaining


async def test_credit_is_added_and_told_apart_by_its_action(billing: StripeBilling, mover: StripeMover) -> None:
    (hedy,) = await billing.find_by_email("hedy@example.com")
    assert hedy.balance is not None

    given = await mover.add_credit(
        customer=hedy.id, amount=Money(700, "usd"), description="Goodwill", action_id="act_5", idempotency_key="cr:5"
    )

    assert (given.amount, given.action_id) == (Money(-700, "usd"), "act_5")
    assert given == (await billing.credit_entries(hedy.id))[0]
    assert hedy.balance - Money(700, "usd") == given.balance


@pytest.mark.parametrize("amount", [0, -700])
async def test_credit_is_never_taken_away(billing: StripeBilling, mover: StripeMover, amount: int) -> None:
    (hedy,) = await billing.find_by_email("hedy@example.com")

    with pytest.raises(BillingRefused) as raised:
        await mover.add_credit(
            customer=hedy.id, amount=Money(amount, "usd"), description="", action_id="a", idempotency_key="k"
        )

    assert raised.value.reason == "invalid_amount"
    assert hedy == (await billing.picture(hedy.id)).customer


async def test_a_planned_end_is_taken_back(billing: StripeBilling, mover: StripeMover) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")
    (plan,) = (await billing.picture(grace.id)).subscriptions
    ending = await mover.cancel_at_period_end(subscription=plan.id, action_id="act_6", idempotency_key="end:6")

    after = await mover.undo_cancel(subscription=plan.id, action_id="act_7", idempotency_key="undo:7")

    assert (ending.cancel_at_period_end, after.cancel_at_period_end) == (True, False)
    assert (after.status, after.action_id) == ("active", "act_7")
    assert after == await billing.subscription(plan.id)


async def test_a_plan_is_ended_at_once_and_says_by_whom(billing: StripeBilling, mover: StripeMover) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")
    (plan,) = (await billing.picture(grace.id)).subscriptions

    ended = await mover.cancel_now(
        subscription=plan.id, credit_unused=False, action_id="act_8", idempotency_key="cancel:8"
    )

    assert (ended.status, ended.action_id) == ("canceled", "act_8")
    assert ended == await billing.subscription(plan.id)


async def test_a_cancellation_that_went_unanswered_is_unknown_and_readable(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    """Stripe heeds no key here: the repeat finds nothing to cancel, which proves nothing."""
    (grace,) = await billing.find_by_email("grace@example.com")
    (plan,) = (await billing.picture(grace.id)).subscriptions
    sandbox.fault(method="DELETE", path="/v1/subscriptions", kind="reset_after_commit", count=1)

    with pytest.raises(OutcomeUnknown):
        await mover.cancel_now(subscription=plan.id, credit_unused=False, action_id="act_8", idempotency_key="c:8")

    known = await billing.subscription(plan.id)
    assert (known.status, known.action_id) == ("canceled", "act_8")


async def test_the_due_date_of_a_final_invoice_does_not_move(billing: StripeBilling, mover: StripeMover) -> None:
    _, owed = await linus_of(billing)
    assert owed.due is not None

    with pytest.raises(BillingRefused) as raised:
        await mover.extend_due_date(
            invoice=owed.id, due=owed.due + timedelta(days=14), action_id="act_9", idempotency_key="due:9"
        )

    assert raised.value.reason == "invoice_not_editable"
    assert owed == await billing.invoice(owed.id)


async def test_an_invoice_is_sent_again(billing: StripeBilling, mover: StripeMover, sandbox: Sandbox) -> None:
    _, owed = await linus_of(billing)

    sent_again = await mover.resend_invoice(invoice=owed.id, action_id="act_10", idempotency_key="send:10")

    assert (sent_again.id, sent_again.action_id) == (owed.id, "act_10")
    events = sandbox.stripe().v1.events.list({"type": "invoice.sent"}).data
    assert owed.id in {event.data.object["id"] for event in events}


async def test_billing_details_change_and_the_rest_stays(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")
    address = Address(line1="1 Harbour Rd", city="Cork", postal_code="T12", country="IE")

    after = await mover.update_billing_details(
        customer=grace.id,
        details=BillingDetails(email="grace.hopper@example.com", address=address),
        action_id="act_11",
        idempotency_key="details:11",
    )

    held = sandbox.stripe().v1.customers.retrieve(grace.id)
    assert (after.email, after.name, after.action_id) == ("grace.hopper@example.com", grace.name, "act_11")
    assert held.address
    assert (held.address.line1, held.address.country) == ("1 Harbour Rd", "IE")


def test_a_portal_link_is_not_shown_by_accident() -> None:
    link = PortalLink(url="https://billing.example.com/p/session/secret")

    assert "secret" not in f"{link} {link!r}"


async def test_a_portal_flow_about_a_plan_names_the_plan(mover: StripeMover) -> None:
    with pytest.raises(BillingRefused) as raised:
        await mover.portal_link(
            customer="cus_1", flow="subscription_cancel", return_url="https://example.com", idempotency_key="k"
        )

    assert raised.value.reason == "parameter_missing"


REFUSALS: dict[str, dict[str, Any]] = {
    "add_credit": {"customer": "cus_x", "amount": Money(1, "usd"), "description": ""},
    "stop_collection": {"invoice": "in_x"},
    "resend_invoice": {"invoice": "in_x"},
    "cancel_at_period_end": {"subscription": "sub_x"},
    "undo_cancel": {"subscription": "sub_x"},
    "cancel_now": {"subscription": "sub_x", "credit_unused": True},
    "refund": {"charge": "ch_x", "amount": Money(500, "usd"), "reason": "duplicate"},
    "update_billing_details": {"customer": "cus_x", "details": BillingDetails(name="X")},
}
FAULTS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"kind": "status", "status": 429}, BillingRefused),
    ({"kind": "status", "status": 429, "code": "lock_timeout"}, BillingRefused),
    ({"kind": "status", "status": 401}, BillingRefused),
    ({"kind": "status", "status": 500}, OutcomeUnknown),
    ({"kind": "html", "status": 502}, OutcomeUnknown),
    ({"kind": "reset"}, OutcomeUnknown),
]


@pytest.mark.parametrize("name", REFUSALS)
async def test_every_write_refuses_what_is_not_there(mover: StripeMover, name: str) -> None:
    with pytest.raises(BillingRefused) as raised:
        await getattr(mover, name)(**REFUSALS[name], action_id="a", idempotency_key=f"k:{name}")

    assert raised.value.reason == "resource_missing"


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize(("fault", "error"), FAULTS, ids=str)
async def test_every_fault_of_stripe_is_the_right_error_at_every_write(
    mover: StripeMover, sandbox: Sandbox, name: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    sandbox.fault(method="POST|DELETE", path="/v1/", count=3, **fault)

    with pytest.raises((BillingRefused, BillingUnavailable)) as raised:
        await getattr(mover, name)(**REFUSALS[name], action_id="a", idempotency_key=f"k:{name}")

    assert type(raised.value) is error


async def test_a_lock_timeout_passes_and_the_write_is_made(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    (hedy,) = await billing.find_by_email("hedy@example.com")
    sandbox.fault(method="POST", path="balance_transactions", count=2, kind="status", status=429, code="lock_timeout")

    await mover.add_credit(
        customer=hedy.id, amount=Money(700, "usd"), description="", action_id="act_12", idempotency_key="cr:12"
    )

    made = [entry for entry in await billing.credit_entries(hedy.id) if entry.action_id == "act_12"]
    assert len(made) == 1


async def test_a_tax_id_is_kept_beside_the_new_details(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")
    asked: dict[str, Any] = {
        "customer": grace.id,
        "details": BillingDetails(name="Hopper Ltd", tax_id=TaxId(kind="eu_vat", value="IE1234567X")),
        "action_id": "act_13",
        "idempotency_key": "details:13",
    }

    after = [await mover.update_billing_details(**asked) for _ in range(2)]

    held = sandbox.stripe().v1.customers.tax_ids.list(grace.id).data
    assert ["Hopper Ltd"] * 2 == [each.name for each in after]
    assert [("eu_vat", "IE1234567X")] == [(each.type, each.value) for each in held]


async def test_a_tax_id_that_stripe_refuses_changes_nothing(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")

    with pytest.raises(BillingRefused) as raised:
        await mover.update_billing_details(
            customer=grace.id,
            details=BillingDetails(name="Hopper Ltd", tax_id=TaxId(kind="eu_vat", value="12")),
            action_id="act_14",
            idempotency_key="details:14",
        )

    assert "tax_id_invalid" == raised.value.reason
    assert grace == (await billing.picture(grace.id)).customer
    assert [] == sandbox.stripe().v1.customers.tax_ids.list(grace.id).data


async def test_a_dated_end_is_taken_back_too(billing: StripeBilling, mover: StripeMover, sandbox: Sandbox) -> None:
    """Set in the dashboard to a day that is no period's end: then `cancel_at_period_end` is False all along."""
    (grace,) = await billing.find_by_email("grace@example.com")
    (plan,) = (await billing.picture(grace.id)).subscriptions
    day = int((plan.period_end - timedelta(days=1)).timestamp())
    sandbox.stripe().v1.subscriptions.update(plan.id, {"cancel_at": day})
    ending = await billing.subscription(plan.id)

    after = await mover.undo_cancel(subscription=plan.id, action_id="act_15", idempotency_key="undo:15")

    assert ending.cancel_at is not None
    assert (after.cancel_at, after.canceled_at, after.cancel_at_period_end) == (None, None, False)
