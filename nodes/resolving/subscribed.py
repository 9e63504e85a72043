"""Which plan is meant, and how it stands: what every wish about a subscription begins with."""

import re
from collections.abc import Iterable
from datetime import datetime

from nodes.drafting import Draft, done, draft, lines, quoted
from nodes.resolving.matter import Matter, Resolution
from nodes.wording.parts import every
from tools.billing.types import Subscription

ACTIVE = frozenset({"active", "trialing", "past_due"})


def active(matter: Matter) -> list[Subscription]:
    return [s for s in matter.picture.subscriptions if s.status in ACTIVE]


def is_ending(subscription: Subscription) -> bool:
    return subscription.cancel_at_period_end or subscription.cancel_at is not None


def end_of(subscription: Subscription) -> datetime:
    return subscription.ended_at or subscription.cancel_at or subscription.period_end


def rests(plan: Subscription) -> Draft:
    """That it is to end, or paused."""
    if is_ending(plan):
        return draft("already_cancelling", plan=plan.plan, end=end_of(plan)) + done("cancel")
    if plan.resumes_at:
        return draft("already_paused", plan=plan.plan, resumes=plan.resumes_at) + done("pause")
    return draft("already_paused_open", plan=plan.plan) + done("pause")


def is_said(matter: Matter, name: str) -> bool:
    """Whether the customer used this name, word for word."""
    said = f"{matter.details.get('said') or ''}\n{matter.details.get('answer') or ''}".casefold()
    return bool(re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", said))


def the_one(matter: Matter, candidates: Iterable[Subscription]) -> Subscription | None:
    """The only one there is, or the only one that was named."""
    those = list(candidates)
    named = [s for s in those if is_said(matter, s.plan)]
    return next((found[0] for found in (those, named) if len(found) == 1), None)


def several(matter: Matter) -> Resolution:
    """More than one could be meant: all of them are shown, to be named, or for a person to make sure."""
    plans = active(matter)
    alike = len({plan.plan for plan in plans}) < len(plans)
    asked = draft("which_of_alike" if alike else "which_subscription")
    return Resolution(draft=plan_list(plans) + asked, asked="handover")


def without_plan(matter: Matter) -> Draft:
    ended = latest_ended(matter)
    said = draft("nothing_to_cancel")
    return said.then(draft("subscription_ended", plan=ended.plan, end=end_of(ended))) if ended else said


def latest_ended(matter: Matter) -> Subscription | None:
    return max((s for s in matter.picture.subscriptions if s.ended_at), key=end_of, default=None)


def plan_list(subscriptions: Iterable[Subscription]) -> Draft:
    return lines([draft("subscriptions_intro"), *map(_line, subscriptions)])


def _line(subscription: Subscription) -> Draft:
    plan, discount = Draft(text=subscription.plan), Draft()
    if subscription.quantity > 1 and len(subscription.items) <= 1:
        plan = draft("several_of", count=subscription.quantity, plan=subscription.plan)
    if subscription.discount:
        discount = draft("less_discount", name=subscription.discount)
    return draft(
        "subscription_line",
        plan=plan,
        price=subscription.price,
        interval=every(subscription.every),
        discount=Draft(text=f" {discount.text}" if discount.text else "", facts=discount.facts),
        standing=_standing(subscription),
    )


def _standing(subscription: Subscription) -> Draft:
    """Where it stands. That it ends comes before all else: its status stays "active" until then."""
    trial = subscription.status == "trialing"
    if is_ending(subscription):
        return draft("standing_trial_ending" if trial else "standing_ending", end=end_of(subscription))
    if subscription.paused and subscription.resumes_at:
        return draft("standing_paused_until", until=subscription.resumes_at)
    if subscription.paused:
        return draft("standing_paused")
    standing = {"trialing": "standing_trial", "past_due": "standing_past_due"}
    end = subscription.trial_end or subscription.period_end if trial else subscription.period_end
    return draft(standing.get(subscription.status, "standing_active"), end=end)


def offer_person(matter: Matter, said: Draft | None = None, *, quoting: bool = True) -> Resolution:
    """What stands in the way, what policy says, and a colleague who can do it."""
    told = said or Draft()
    if matter.passages and quoting:
        passage = matter.passages[0]
        told += draft("policy_answer", quote=quoted(passage, passage.text), citation=passage.citation)
    return Resolution(draft=told + draft("offer_person"), asked="handover")
