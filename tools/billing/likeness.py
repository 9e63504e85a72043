"""Why two charges of the same amount are two charges after all, or that nothing says so.

What took no money is no second payment. Invoices speak next: other subscription, other period, other lines. Then the
shop's order ids, then the description, then the card. What nothing explains may have been given back already, or lie
too far apart: how far depends on what the two have in common, since customers buy the same thing again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.billing.types import Charge, Invoice, InvoiceLine

Because = Literal[
    "failed",
    "pending",
    "authorisation",
    "refunded",
    "disputed",
    "same_payment",
    "other_currency",
    "instalment",
    "credited",
    "other_subscription",
    "proration",
    "other_period",
    "other_lines",
    "other_order",
    "other_purpose",
    "other_card",
    "unseen_invoice",
    "apart",
]

WITHIN = timedelta(hours=24)
SAME_ORDER = timedelta(days=3)
"""Stripe repeats a webhook for up to three days, and a careless shop then charges the order again."""
ONE_OFF = timedelta(hours=1)
"""Later than this, buying the same thing twice is as likely as paying it twice."""
DOUBLE_CLICK = timedelta(minutes=10)
LONGEST = max(WITHIN, SAME_ORDER, ONE_OFF, DOUBLE_CLICK)

Invoices = Mapping[str, Invoice]
_OTHER_THINGS = frozenset({"proration", "other_lines"})


@dataclass(frozen=True, kw_only=True)
class Explanation:
    because: Because
    certain: bool = True
    """False where the data would look the same had somebody made a mistake: code keeps out, a person decides."""


def why_not(earlier: Charge, later: Charge, invoices: Invoices) -> Explanation | None:
    """None when nothing explains the two: the later one is a duplicate. Amounts are the caller's business."""
    return _by_facts(earlier, later, invoices) or _given_back(earlier, later) or _by_time(earlier, later, invoices)


def tells_apart(earlier: Charge, later: Charge, invoices: Invoices) -> bool:
    """Whether they were ever two purchases. A refund or dispute since then does not make them so."""
    return bool(_by_facts(earlier, later, invoices) or _by_time(earlier, later, invoices))


def _by_facts(earlier: Charge, later: Charge, invoices: Invoices) -> Explanation | None:
    return (
        _without_money(earlier, later)
        or _by_invoices(earlier, later, invoices)
        or _by_order(earlier, later)
        or _by_purpose(earlier, later)
        or _by_card(earlier, later)
    )


def _without_money(*pair: Charge) -> Explanation | None:
    if any(charge.status == "failed" for charge in pair):
        return Explanation(because="failed")
    if any(charge.status != "succeeded" for charge in pair):
        return Explanation(because="pending", certain=False)
    if any(charge.captured < charge.amount for charge in pair):
        return Explanation(because="authorisation")
    if pair[0].amount.currency != pair[1].amount.currency:
        return Explanation(because="other_currency")
    if pair[0].payment_intent and pair[0].payment_intent == pair[1].payment_intent:
        return Explanation(because="same_payment")
    return None


def _given_back(*pair: Charge) -> Explanation | None:
    if any(charge.disputed for charge in pair):
        return Explanation(because="disputed")
    return Explanation(because="refunded") if any(charge.refunded for charge in pair) else None


def _by_invoices(earlier: Charge, later: Charge, invoices: Invoices) -> Explanation | None:
    """A charge whose invoice cannot be seen is explained by not knowing."""
    if any(charge.invoice and charge.invoice not in invoices for charge in (earlier, later)):
        return Explanation(because="unseen_invoice", certain=False)
    if not earlier.invoice or not later.invoice:
        return None
    one, other = invoices[earlier.invoice], invoices[later.invoice]
    if one.id == other.id:
        return Explanation(because="instalment")
    different = _by_lines(one.lines, other.lines)
    if one.subscription != other.subscription:
        return Explanation(
            because="other_subscription", certain=different in _OTHER_THINGS or not _submitted_together(one, other)
        )
    return Explanation(because=different) if different else None


def _submitted_together(one: Invoice, other: Invoice) -> bool:
    """Two seats, or one form sent twice: the first invoices of two subscriptions look the same in both cases."""
    return abs(other.created - one.created) <= DOUBLE_CLICK


def _by_lines(ones: Iterable[InvoiceLine], others: Iterable[InvoiceLine]) -> Because | None:
    mine, theirs = (sorted(map(_sold, lines)) for lines in (ones, others))
    if mine == theirs:
        return None
    if any(line.proration for line in (*ones, *others)):
        return "proration"
    same_things = [what for what, _ in mine] == [what for what, _ in theirs]
    return "other_period" if same_things else "other_lines"


_What = tuple[str, str, int, int, bool]


def _sold(line: InvoiceLine) -> tuple[_What, tuple[datetime, ...]]:
    """What, and for when. An instant, as one-off lines have, is no period."""
    period = (line.period_start, line.period_end) if line.period_start != line.period_end else ()
    return (line.product or "", line.description, line.amount.amount, line.quantity, line.proration), period


def _by_order(earlier: Charge, later: Charge) -> Explanation | None:
    if earlier.order_id == later.order_id:
        return None
    return Explanation(because="other_order", certain=bool(earlier.order_id and later.order_id))


def _by_purpose(earlier: Charge, later: Charge) -> Explanation | None:
    """A payment outside any invoice says what it was for in its order or its description alone."""
    if earlier.order_id or (earlier.invoice and later.invoice) or earlier.description == later.description:
        return None
    return Explanation(because="other_purpose")


def _by_card(earlier: Charge, later: Charge) -> Explanation | None:
    """Two cards on one order may have paid half each, or one of them too much."""
    mine, theirs = (charge.card.fingerprint if charge.card else "" for charge in (earlier, later))
    if mine and mine == theirs:
        return None
    return Explanation(because="other_card", certain=bool(mine and theirs and not earlier.order_id))


def _by_time(earlier: Charge, later: Charge, invoices: Invoices) -> Explanation | None:
    if later.created - earlier.created <= _window(earlier, later, invoices):
        return None
    return Explanation(because="apart", certain=False)


def _window(earlier: Charge, later: Charge, invoices: Invoices) -> timedelta:
    if earlier.order_id:
        return SAME_ORDER
    if earlier.invoice and later.invoice:
        return WITHIN if invoices[earlier.invoice].subscription else ONE_OFF
    if not earlier.description:
        return DOUBLE_CLICK
    # One of the two repeats what an invoice already paid: nobody buys that again.
    return WITHIN if earlier.invoice or later.invoice else ONE_OFF
