"""One small function per kind of rule: what it says about a request, and why, in words for people."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.money import Money
from tools.policy.rules import Fixed, Frequency, Instalments, Limit, Window
from tools.policy.types import ActionRequest, Outcome


@dataclass(frozen=True, kw_only=True)
class Asked:
    request: ActionRequest
    at: datetime


@dataclass(frozen=True)
class Said:
    outcome: Outcome | None
    """None: nothing to say."""
    because: str


def disputed(rule: Fixed, asked: Asked) -> Said:
    if asked.request.disputed:
        return Said(rule.outcome, "The payment is disputed with the bank, and the bank decides.")
    return Said(None, "The payment is not disputed.")


def over_refundable(rule: Fixed, asked: Asked) -> Said:
    amount, refundable = asked.request.amount, asked.request.refundable
    if amount.currency != refundable.currency:
        return Said(rule.outcome, "The amount is not in the currency of the charge.")
    if amount.amount <= 0:
        return Said(rule.outcome, "There is nothing to refund.")
    if amount.amount > refundable.amount:
        return Said(rule.outcome, f"{amount.text()} is more than the {refundable.text()} that is left to refund.")
    return Said(None, f"{amount.text()} is within the {refundable.text()} that is left to refund.")


def our_mistake(rule: Fixed, what: str) -> Said:
    return Said(rule.outcome, f"The charge was {what}; that is refundable at any time.")


def goodwill(rule: Fixed) -> Said:
    return Said(rule.outcome, "A refund as a goodwill gesture is for a person to grant.")


def within_window(rule: Window, asked: Asked) -> Said:
    days = rule.days.get(asked.request.interval or "one_off")
    if days is None:
        return Said("needs_approval", "No refund window is set for this billing interval.")
    if asked.at - asked.request.charged_at <= timedelta(days=days):
        return Said(rule.inside, f"The charge is no more than {days} days old.")
    return Said(rule.outside, f"The charge is more than {days} days old.")


def above_limit(rule: Limit, asked: Asked) -> Said:
    return _against(rule, asked.request.amount, "is within", "is above")


def above_daily_limit(rule: Limit, asked: Asked) -> Said:
    amount, earlier = asked.request.amount, asked.request.refunded_last_day
    if earlier and earlier.currency != amount.currency:
        return Said(rule.above, "Another refund of the last day was in a different currency.")
    total = amount + earlier if earlier else amount
    return _against(rule, total, "in one day is within", "in one day is above")


def too_frequent(rule: Frequency, asked: Asked) -> Said:
    if asked.request.ground in rule.exempt:
        return Said(None, "Refunds of our own mistakes are not counted.")
    count = asked.request.refunds_last_year
    if count >= rule.automatic_in_12_months:
        return Said(rule.above, f"There were {count} refunds in the last 12 months already.")
    return Said(None, f"There were {count} refunds in the last 12 months.")


def cancellation(rule: Fixed) -> Said:
    return Said(rule.outcome, "A plan can be cancelled at any time, to the end of the paid period.")


def instalments(rule: Instalments, asked: Asked) -> Said:
    parts = asked.request.instalments
    if asked.request.amount.amount <= 0:
        return Said(rule.outside, "The invoice has nothing left to pay.")
    if parts is None or not rule.fewest <= parts <= rule.most:
        return Said(rule.outside, f"A payment plan has {rule.fewest} to {rule.most} instalments.")
    return Said(rule.inside, f"{parts} instalments are within {rule.fewest} to {rule.most}.")


def _against(rule: Limit, amount: Money, within: str, above: str) -> Said:
    limit = rule.limits.get(amount.currency)
    if limit is None:
        return Said("needs_approval", f"No limit is set for {amount.currency.upper()}.")
    ceiling = Money(limit, amount.currency).text()
    if amount.amount > limit:
        return Said(rule.above, f"{amount.text()} {above} the automatic limit of {ceiling}.")
    return Said(None, f"{amount.text()} {within} the automatic limit of {ceiling}.")
