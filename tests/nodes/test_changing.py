"""Another plan or number of seats: only what is certain is proposed, with what Stripe says it costs."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.resolving.changing import change_plan, with_cost
from nodes.resolving.matter import Matter, Proposal, Resolution
from tests.tools.billing.make import NOW, VISA, invoice, line, picture, subscription, usd
from tools.billing.powers import CostPreview, PlanChange, Price
from tools.billing.types import Invoice, Subscription, SubscriptionItem
from tools.money import Money

ITEM = SubscriptionItem(id="si_1", price="price_team", product="prod_team", name="Team", unit=usd(4900), quantity=2)


def price(name: str, amount: int, interval: Any = "month", **changes: Any) -> Price:
    base = Price(
        id=f"price_{name.lower()}_{interval}",
        product=f"prod_{name.lower()}",
        name=name,
        amount=usd(amount),
        interval=interval,
        interval_count=1,
    )
    return replace(base, **changes)


PRICES = (
    price("Team", 4900, id="price_team"),
    price("Team", 49000, "year"),
    price("Starter", 1900),
    price("Business", 9900),
    price("Business", 99000, "year"),
    price("Business Plus", 19900),
    replace(price("Wide", 9900), amount=Money(9900, "eur")),
)


def matter(plan: Subscription | None = None, invoices: tuple[Invoice, ...] = (), **details: Any) -> Matter:
    seen = picture(subscriptions=(plan or subscription(items=(ITEM,), quantity=2, price=usd(9800)),), invoices=invoices)
    seen = replace(seen, customer=replace(seen.customer, payment_method="pm_1"))
    return Matter(
        goal="change_plan",
        picture=seen,
        details=details,
        passages=(),
        prices=PRICES,
        cards={"pm_1": VISA},
        now=NOW,
    )


def proposed(resolution: Resolution) -> Proposal:
    assert resolution.proposal is not None, resolution.draft.text
    return resolution.proposal


@pytest.mark.parametrize(
    ("details", "chosen"),
    [
        ({"said": "upgrade to business please"}, "price_business_month"),
        ({"said": "from Team to Business"}, "price_business_month"),
        ({"said": "upgrade to Business Plus"}, "price_business plus_month"),
        ({"said": "upgrade me", "answer": "Business Plus"}, "price_business plus_month"),
    ],
)
def test_a_dearer_plan_that_is_named_is_proposed(details: dict[str, Any], chosen: str) -> None:
    details = {"interval": "month", **details} if chosen == "price_business_month" else details
    found = proposed(change_plan(matter(**details)))

    assert found.details["price"] == chosen
    assert (found.details["quantity"], found.details["billed"], found.request.upgrade) == (2, "now", True)
    assert found.details["last4"] == "4242"


def test_of_one_name_with_two_prices_it_is_asked_which() -> None:
    found = change_plan(matter(said="upgrade to business"))

    assert (found.proposal, found.asked) == (None, "detail")
    assert "Business at $99.00 per month" in found.draft.text
    assert "Business at $990.00 per year" in found.draft.text
    assert "Starter" not in found.draft.text


def test_without_a_name_all_that_cost_more_are_listed_cheapest_first() -> None:
    text = change_plan(matter(said="I want to upgrade")).draft.text

    assert text.index("Business at $990.00 per year") < text.index("Business at $99.00") < text.index("Business Plus")
    assert "Starter" not in text
    assert "Team at" not in text
    assert "Wide" not in text


@pytest.mark.parametrize(
    "details",
    [
        {"said": "downgrade to Starter"},
        {"said": "I need a cheaper plan"},
        {"said": "switch me to annual billing", "interval": "year"},
    ],
)
def test_what_costs_no_more_in_a_year_is_for_a_person(details: dict[str, Any]) -> None:
    found = change_plan(matter(**details))

    assert (found.proposal, found.asked) == (None, "handover")


@pytest.mark.parametrize(
    ("details", "quantity", "billed", "grows"),
    [
        ({"more_seats": 2}, 4, "now", True),
        ({"seats": 5}, 5, "now", True),
        ({"more_seats": -1}, 1, "next_invoice", False),
    ],
)
def test_seats_are_added_now_and_taken_away_with_the_next_invoice(
    details: dict[str, Any], quantity: int, billed: str, grows: bool
) -> None:
    found = proposed(change_plan(matter(**details)))

    assert (found.details["quantity"], found.details["old_quantity"]) == (quantity, 2)
    assert (found.details["price"], found.details["billed"], found.request.upgrade) == (None, billed, grows)


@pytest.mark.parametrize(
    ("details", "told"),
    [({"seats": 2}, "has 2 seats already"), ({"seats": 0}, "at least one seat"), ({"more_seats": -2}, "at least one")],
)
def test_a_number_of_seats_that_makes_no_change_is_told(details: dict[str, Any], told: str) -> None:
    found = change_plan(matter(**details))

    assert found.proposal is None
    assert told in found.draft.text


def test_seats_of_an_annual_plan_are_taken_away_by_a_person() -> None:
    plan = subscription(items=(ITEM,), interval="year")

    assert change_plan(matter(plan, more_seats=-1)).asked == "handover"
    assert proposed(change_plan(matter(plan, more_seats=1))).details["quantity"] == 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cancel_at_period_end": True}, "that you want to keep it"),
        ({"paused": True}, "that you want it to start again"),
        ({"status": "trialing"}, "free trial"),
        ({"status": "past_due"}, "overdue"),
        ({"items": (ITEM, replace(ITEM, id="si_2"))}, "several parts"),
        ({"items": (replace(ITEM, unit=None),)}, "priced by use"),
    ],
)
def test_what_stands_in_the_way_is_told(changes: dict[str, Any], told: str) -> None:
    found = change_plan(matter(subscription(**{"items": (ITEM,), **changes}), more_seats=1))

    assert found.proposal is None
    assert told in found.draft.text


def test_no_card_is_named_where_invoices_are_sent_to_be_paid() -> None:
    """They have a due date, whatever card the customer has besides."""
    sent = invoice("1", line(), subscription="sub_1", due=NOW)

    assert "last4" not in proposed(change_plan(matter(invoices=(sent,), more_seats=1))).details


def test_the_card_of_the_plan_itself_goes_before_that_of_the_customer() -> None:
    plan = subscription(items=(ITEM,), payment_method="pm_2")
    asked = replace(matter(plan, more_seats=1), cards={"pm_1": VISA, "pm_2": replace(VISA, last4="1111")})

    assert proposed(change_plan(asked)).details["last4"] == "1111"


def test_what_it_costs_is_what_the_preview_says() -> None:
    found = proposed(change_plan(matter(more_seats=1)))
    change = PlanChange(item="si_1", quantity=3, proration_date=NOW)
    cost = CostPreview(due_now=usd(2450), credit=usd(0), next_invoice=usd(14700), next_at=NOW, lines=(), change=change)

    priced = with_cost(found, cost)

    assert (priced.request.amount, priced.request.refundable) == (usd(2450), usd(2450))
    assert (priced.details["due_now"], priced.details["next_invoice"]) == (2450, 14700)
    assert priced.details["next_at"] == NOW.isoformat()
