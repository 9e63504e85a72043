"""Pausing, resuming and changing a subscription, and the price that was named first."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import stripe

from tests.fixtures.sandbox import Sandbox
from tools.billing.mover import StripeMover
from tools.billing.powers import PlanChange
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import Subscription
from tools.errors import BillingRefused, NotFound
from tools.money import Money


@pytest_asyncio.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    """Patient, and asks once: a busy machine must not add requests."""
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=Retry(attempts=1)) as reader:
        yield reader


@pytest.fixture
def mover(billing: StripeBilling) -> StripeMover:
    return billing.mover()


async def seats_of(billing: StripeBilling, sandbox: Sandbox, method: str = "pm_card_visa") -> Subscription:
    """Two seats at 12.00 a month, of somebody new, ten days into the month."""
    client = sandbox.stripe().v1
    person = client.customers.create({"email": "new@example.com"})
    card = client.payment_methods.attach(method, {"customer": person.id})
    client.customers.update(person.id, {"invoice_settings": {"default_payment_method": card.id}})
    product = client.products.create({"name": "Seats"})
    price = price_of(sandbox, product.id, 1200)
    made = client.subscriptions.create({"customer": person.id, "items": [{"price": price, "quantity": 2}]})
    sandbox.advance(10 * 86_400)
    return await billing.subscription(made.id)


def price_of(sandbox: Sandbox, product: str, amount: int) -> str:
    made = sandbox.stripe().v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}}
    )
    return made.id


def changed(plan: Subscription, **to: object) -> PlanChange:
    when = plan.period_start + timedelta(days=10)
    return PlanChange(item=plan.items[0].id, proration_date=when, **to)  # type: ignore[arg-type]


def invoices(sandbox: Sandbox, plan: Subscription) -> list[stripe.Invoice]:
    return list(sandbox.stripe().v1.invoices.list({"subscription": plan.id}).data)


async def test_a_plan_is_paused_until_a_day_and_resumed(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)
    until = datetime.fromtimestamp(int(plan.period_end.timestamp()), UTC) + timedelta(days=30)

    paused = await mover.pause_collection(
        subscription=plan.id, resumes_at=until, action_id="act_1", idempotency_key="pause:1"
    )
    resumed = await mover.resume_collection(subscription=plan.id, action_id="act_2", idempotency_key="resume:2")

    assert (paused.paused, paused.resumes_at, paused.action_id, paused.status) == (True, until, "act_1", "active")
    assert (resumed.paused, resumed.resumes_at, resumed.action_id) == (False, None, "act_2")
    assert resumed == await billing.subscription(plan.id)


async def test_a_preview_changes_nothing(billing: StripeBilling, sandbox: Sandbox) -> None:
    plan = await seats_of(billing, sandbox)
    before = invoices(sandbox, plan)

    await billing.preview_change(plan.id, changed(plan, quantity=5))

    assert plan == await billing.subscription(plan.id)
    assert [each.id for each in before] == [each.id for each in invoices(sandbox, plan)]


async def test_more_seats_cost_now_what_the_preview_said(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)
    change = changed(plan, quantity=5)
    said = await billing.preview_change(plan.id, change)

    after = await mover.change_subscription(
        subscription=plan.id, change=change, action_id="act_3", idempotency_key="change:3"
    )

    asked = invoices(sandbox, plan)[0]
    assert (after.quantity, after.action_id) == (5, "act_3")
    assert said.due_now == Money(asked.amount_due, "usd") > Money(0, "usd")
    assert said.next_invoice == Money(6000, "usd") == after.price
    assert said.credit == Money(0, "usd")
    assert sum(line.amount.amount for line in said.lines) == asked.total


async def test_fewer_seats_give_credit_and_ask_for_nothing(billing: StripeBilling, sandbox: Sandbox) -> None:
    plan = await seats_of(billing, sandbox)

    said = await billing.preview_change(plan.id, changed(plan, quantity=1))

    assert said.due_now == Money(0, "usd") < said.credit < Money(1200, "usd")


async def test_a_change_for_the_next_invoice_asks_for_nothing_now(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)
    change = changed(plan, price=price_of(sandbox, plan.items[0].product, 2000), billed="next_invoice")
    said = await billing.preview_change(plan.id, change)

    after = await mover.change_subscription(
        subscription=plan.id, change=change, action_id="act_4", idempotency_key="change:4"
    )

    assert (said.due_now, len(invoices(sandbox, plan))) == (Money(0, "usd"), 1)
    assert after.price == Money(4000, "usd") < said.next_invoice
    assert said.next_invoice.amount == sum(line.amount.amount for line in said.lines)


async def test_a_change_that_is_never_billed_costs_the_new_price_alone(
    billing: StripeBilling, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)

    said = await billing.preview_change(plan.id, changed(plan, quantity=5, billed="never"))

    assert (said.due_now, said.next_invoice) == (Money(0, "usd"), Money(6000, "usd"))


async def test_a_change_whose_payment_fails_changes_nothing(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)
    held = sandbox.stripe().v1.subscriptions.retrieve(plan.id)
    bad = sandbox.stripe().v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": str(held.customer)})
    sandbox.stripe().v1.customers.update(str(held.customer), {"invoice_settings": {"default_payment_method": bad.id}})

    with pytest.raises(BillingRefused) as raised:
        await mover.change_subscription(
            subscription=plan.id, change=changed(plan, quantity=5), action_id="act_5", idempotency_key="change:5"
        )

    assert raised.value.reason == "declined"
    assert plan == await billing.subscription(plan.id)


async def test_ending_a_plan_at_once_can_leave_credit(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)

    await mover.cancel_now(subscription=plan.id, credit_unused=True, action_id="act_6", idempotency_key="cancel:6")

    owner = str(sandbox.stripe().v1.subscriptions.retrieve(plan.id).customer)
    balance = (await billing.picture(owner)).customer.balance
    assert balance is not None
    assert -2400 < balance.amount < 0


async def test_a_preview_of_nothing_is_not_found(billing: StripeBilling, sandbox: Sandbox) -> None:
    plan = await seats_of(billing, sandbox)

    with pytest.raises(NotFound):
        await billing.preview_change("sub_missing", changed(plan, quantity=5))


async def test_a_preview_that_stripe_refuses_is_not_found_rather_than_a_silence(
    billing: StripeBilling, sandbox: Sandbox
) -> None:
    """The month was renewed since: a silence would be waited for, and this will never be had."""
    plan = await seats_of(billing, sandbox)
    sandbox.advance(30 * 86_400)

    with pytest.raises(NotFound):
        await billing.preview_change(plan.id, changed(plan, quantity=5))


async def test_a_link_to_the_portal_is_made_for_a_flow(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    plan = await seats_of(billing, sandbox)
    owner = str(sandbox.stripe().v1.subscriptions.retrieve(plan.id).customer)

    link = await mover.portal_link(
        customer=owner,
        flow="payment_method_update",
        return_url="https://example.com/billing",
        idempotency_key="portal:1",
    )

    assert link.url.startswith("http")
