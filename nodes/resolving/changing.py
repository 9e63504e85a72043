"""Another plan, or another number of seats. What it costs is for Stripe to say, before it is put to the customer."""

import re
from dataclasses import replace
from fractions import Fraction

from nodes.drafting import Draft, draft, lines
from nodes.resolving.matter import Json, Matter, Proposal, Resolution, request_of
from nodes.resolving.subscribed import active, is_ending, is_said, offer_person, rests, several, the_one, without_plan
from nodes.wording.parts import card_details, every, seats
from tools.billing.powers import CostPreview, Price
from tools.billing.types import Subscription, SubscriptionItem
from tools.money import Money

PER_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}
LISTED = 8
SMALLER = re.compile(r"(?i)\b(?:downgrad\w*|smaller|cheaper|lower|reduce|basic|kleiner\w*|günstiger\w*|barato|moins)\b")


def change_plan(matter: Matter) -> Resolution:
    """The one plan, to a dearer one that is named, or to another number of seats."""
    running = active(matter)
    if not running:
        return Resolution(draft=without_plan(matter))
    plan = the_one(matter, running)
    if plan is None:
        return several(matter)
    if stands := _in_the_way(matter, plan):
        return stands
    item, wanted = plan.items[0], _seats(matter.details, plan.items[0].quantity)
    return _other_plan(matter, plan, item) if wanted is None else _other_seats(matter, plan, item, wanted)


def _seats(details: Json, now: int) -> int | None:
    """How many there are to be; None where seats were not spoken of."""
    if details.get("seats") is not None:
        return int(details["seats"])
    return now + int(details["more_seats"]) if details.get("more_seats") else None


def _in_the_way(matter: Matter, plan: Subscription) -> Resolution | None:
    if is_ending(plan):
        return Resolution(draft=rests(plan).then(draft("keep_it_first")))
    if plan.paused:
        return Resolution(draft=rests(plan).then(draft("resume_it_first")))
    said = None
    if plan.status == "trialing":
        said = draft("change_in_trial", plan=plan.plan, end=plan.trial_end or plan.period_end)
    elif plan.status != "active":
        said = draft("change_past_due", plan=plan.plan)
    elif len(plan.items) != 1 or plan.items[0].unit is None:
        said = draft("change_of_parts", plan=plan.plan)
    return offer_person(matter, said, quoting=False) if said else None


def _other_seats(matter: Matter, plan: Subscription, item: SubscriptionItem, wanted: int) -> Resolution:
    """More are paid for from today on; fewer are credited with the next invoice, where the plan is monthly."""
    if wanted == item.quantity:
        return Resolution(draft=draft("seats_already", plan=plan.plan, seats=seats(wanted)))
    if wanted < 1:
        return Resolution(draft=draft("seats_none", plan=plan.plan))
    if wanted < item.quantity and plan.every != "month":
        return offer_person(matter, draft("seats_not_monthly", plan=plan.plan, interval=every(plan.every)))
    return Resolution(proposal=_proposal(matter, plan, item, quantity=wanted))


def _other_plan(matter: Matter, plan: Subscription, item: SubscriptionItem) -> Resolution:
    found = _wanted(matter, item)
    if len(found) != 1:
        return _which(matter, plan, item, found)
    if _cost(found[0].amount, found[0].interval, found[0].interval_count) <= _cost_now(plan, item):
        return offer_person(matter, draft("downgrade", plan=plan.plan, new_plan=_named(found[0])))
    return Resolution(proposal=_proposal(matter, plan, item, price=found[0]))


def _wanted(matter: Matter, item: SubscriptionItem) -> list[Price]:
    """The prices that what was said can mean: by the plan's name, by the time that is paid for, or by both."""
    others = _others(matter, item)
    named = [price for price in others if price.name != item.name and is_said(matter, price.name)]
    # "Seat Plus" says "Seat" too.
    named = [price for price in named if not any(price.name in other.name != price.name for other in named)]
    interval = matter.details.get("interval")
    meant = named or ([price for price in others if price.product == item.product] if interval else [])
    timed = [price for price in meant if (price.interval, price.interval_count) == (interval, 1)]
    return timed or ([] if interval and not named else meant)


def _others(matter: Matter, item: SubscriptionItem) -> list[Price]:
    currency = item.unit.currency if item.unit else None
    return [price for price in matter.prices if price.amount.currency == currency and price.id != item.price]


def _which(matter: Matter, plan: Subscription, item: SubscriptionItem, found: list[Price]) -> Resolution:
    """Those that were meant, or else all that cost more than now; a smaller one is for a person."""
    now = _cost_now(plan, item)
    dearer = [p for p in _others(matter, item) if _cost(p.amount, p.interval, p.interval_count) > now]
    shown = found or sorted(dearer, key=lambda p: _cost(p.amount, p.interval, p.interval_count))[:LISTED]
    if not shown or (not found and SMALLER.search(str(matter.details.get("said") or ""))):
        return offer_person(matter)
    rows = [draft("plan_choice", plan=_named(price)) for price in shown]
    return Resolution(draft=lines([draft("plans_intro", plan=plan.plan), *rows]) + draft("which_plan"), asked="detail")


def _named(price: Price) -> Draft:
    return draft("plan_price", plan=price.name, price=price.amount, interval=every(price.every))


def _cost(amount: Money, interval: str, count: int) -> Fraction:
    """In a year, for comparing."""
    return Fraction(amount.amount * PER_YEAR[interval], count)


def _cost_now(plan: Subscription, item: SubscriptionItem) -> Fraction:
    return _cost(item.unit or plan.price, plan.interval, plan.interval_count)


def _proposal(
    matter: Matter,
    plan: Subscription,
    item: SubscriptionItem,
    *,
    price: Price | None = None,
    quantity: int | None = None,
) -> Proposal:
    count, unit = quantity or item.quantity, price.amount if price else item.unit or plan.price
    grows = price is not None or count > item.quantity
    request = request_of(
        matter, "change_subscription", plan.id, Money(0, unit.currency), interval=plan.interval, upgrade=grows
    )
    details = {
        "plan": plan.plan,
        "new_plan": price.name if price else plan.plan,
        "item": item.id,
        "price": price.id if price else None,
        "quantity": count,
        "old_quantity": item.quantity,
        "billed": "now" if grows else "next_invoice",
        "proration_date": matter.now.replace(microsecond=0).isoformat(),
        "interval": price.every if price else plan.every,
        "starts_anew": price is not None and price.every != plan.every,
        "total": unit.amount * count,
        "next_at": plan.period_end.isoformat(),
        **_charged(matter, plan),
        "evidence_ids": [plan.id],
    }
    return Proposal(request=request, details=details)


def _charged(matter: Matter, plan: Subscription) -> Json:
    """What is charged for it, unless its invoices are sent to be paid: those alone have a due date."""
    latest = next((invoice for invoice in matter.picture.invoices if invoice.subscription == plan.id), None)
    if latest and latest.due:
        return {}
    return card_details(plan.payment_method or matter.picture.customer.payment_method, matter.cards)


def with_cost(proposal: Proposal, cost: CostPreview) -> Proposal:
    """The same change with what Stripe asks for it, now and with the next invoice."""
    costs: Json = {
        "due_now": cost.due_now.amount,
        "credit": cost.credit.amount,
        "next_invoice": cost.next_invoice.amount,
        **({"next_at": cost.next_at.isoformat()} if cost.next_at else {}),
    }
    request = replace(proposal.request, amount=cost.due_now, refundable=cost.due_now)
    return replace(proposal, request=request, details=proposal.details | costs)
