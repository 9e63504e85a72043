"""A change of plan costs what was said before: now, as credit, and with the next invoice, to the cent."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from tests.fixtures.sandbox import Sandbox
from tools.billing.powers import CostPreview, PlanChange
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.money import Money

DAY = 86_400
BEGIN = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Deal:
    """What somebody has, and what it becomes after so many seconds."""

    unit: int
    seats: int
    unit_after: int | None
    seats_after: int
    yearly_after: bool
    billed: Literal["now", "next_invoice", "never"]
    after: int
    coupon: dict[str, Any] | None
    tax: dict[str, Any] | None


COUPONS = st.one_of(
    st.builds(
        lambda percent, duration: {"percent_off": percent, "duration": duration},
        st.integers(1, 60),
        st.sampled_from(["once", "forever"]),
    ),
    st.builds(lambda amount: {"amount_off": amount, "currency": "usd", "duration": "forever"}, st.integers(1, 900)),
)
TAXES = st.builds(
    lambda percentage, inclusive: {"percentage": percentage, "inclusive": inclusive, "display_name": "VAT"},
    st.sampled_from([7, 8.25, 19, 21]),
    st.booleans(),
)
DEALS = st.builds(
    Deal,
    unit=st.integers(500, 9999),
    seats=st.integers(1, 6),
    unit_after=st.none() | st.integers(500, 9999),
    seats_after=st.integers(1, 9),
    yearly_after=st.booleans(),
    billed=st.sampled_from(["now", "now", "next_invoice", "never"]),
    after=st.integers(60, 30 * DAY),
    coupon=st.none() | COUPONS,
    tax=st.none() | TAXES,
)


@settings(
    max_examples=25,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(deal=DEALS)
def test_a_change_costs_what_its_preview_said(sandbox_process: Sandbox, deal: Deal) -> None:
    sandbox_process.reset(seed=None)
    asyncio.run(dealt(Counter(sandbox_process, deal)))


class Counter:
    """Where the deal is made, on a test clock at the simulated Stripe."""

    def __init__(self, sandbox: Sandbox, deal: Deal) -> None:
        self.sandbox, self.deal = sandbox, deal
        self.v1: Any = sandbox.stripe().v1
        self.clock = self.v1.test_helpers.test_clocks.create({"frozen_time": BEGIN}).id
        person = self.v1.customers.create({"test_clock": self.clock})
        card = self.v1.payment_methods.attach("pm_card_visa", {"customer": person.id})
        self.customer = person.id
        self.v1.customers.update(person.id, {"invoice_settings": {"default_payment_method": card.id}})
        self.product = self.v1.products.create({"name": "Seats"}).id
        self.plan = self._subscribe()

    def _subscribe(self) -> str:
        deal = self.deal
        taxes = {"tax_rates": [self.v1.tax_rates.create(deal.tax).id]} if deal.tax else {}
        off = {"discounts": [{"coupon": self.v1.coupons.create(deal.coupon).id}]} if deal.coupon else {}
        item = {"price": self.price(deal.unit, "month"), "quantity": deal.seats, **taxes}
        return str(self.v1.subscriptions.create({"customer": self.customer, "items": [item], **off}).id)

    def price(self, amount: int, interval: str) -> str:
        asked = {"product": self.product, "currency": "usd", "unit_amount": amount}
        return str(self.v1.prices.create({**asked, "recurring": {"interval": interval}}).id)

    def change(self) -> PlanChange:
        deal = self.deal
        price = None
        if deal.unit_after is not None or deal.yearly_after:
            amount = (deal.unit_after or deal.unit) * (10 if deal.yearly_after else 1)
            price = self.price(amount, "year" if deal.yearly_after else "month")
        item = self.v1.subscriptions.retrieve(self.plan).to_dict()["items"]["data"][0]["id"]
        when = datetime.fromtimestamp(BEGIN + deal.after, UTC)
        return PlanChange(item=item, price=price, quantity=deal.seats_after, billed=deal.billed, proration_date=when)

    def until(self, moment: int) -> None:
        self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": moment})

    def invoices(self) -> list[dict[str, Any]]:
        """Oldest first."""
        found = self.v1.invoices.list({"subscription": self.plan, "limit": 100}).data
        return [each.to_dict() for each in reversed(found)]


async def dealt(counter: Counter) -> None:
    sandbox = counter.sandbox
    counter.until(BEGIN + counter.deal.after)
    change, before = counter.change(), counter.invoices()
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=Retry(attempts=1)) as billing:
        said = await billing.preview_change(counter.plan, change)
        assert before == counter.invoices()
        await billing.mover().change_subscription(
            subscription=counter.plan, change=change, action_id="act_1", idempotency_key="change:1"
        )
    at_once = counter.invoices()[len(before) :]
    event(f"{change.billed}, {'yearly' if counter.deal.yearly_after else 'monthly'}: {len(at_once)} at once")

    asked = sum(invoice["amount_due"] for invoice in at_once)
    credit = sum(max(0, -invoice["total"]) for invoice in at_once)
    assert (said.due_now, said.credit) == (Money(asked, "usd"), Money(credit, "usd")), "now"
    assert_next(counter, said, len(before) + len(at_once))


def assert_next(counter: Counter, said: CostPreview, known: int) -> None:
    """The regular invoice, when it comes, less the credit that this very change gave."""
    renewal = counter.v1.subscriptions.retrieve(counter.plan).to_dict()["items"]["data"][0]["current_period_end"]
    counter.until(renewal + 3 * 3600)
    following = counter.invoices()[known]
    assert said.next_at is not None
    assert renewal <= said.next_at.timestamp() <= renewal + 3600, "an hour is how long a draft stays one"
    owed = Money(max(0, said.next_invoice.amount - said.credit.amount), "usd")
    assert owed == Money(following["amount_due"], "usd"), "with the next invoice"
