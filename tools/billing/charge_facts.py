"""What a charge was for, why it came when it came, and what became of it: typed facts, no prose.

Stripe never tells at what rate the customer's bank converted. So nothing is said of rates: only which currency was
charged, and that the customer is usually charged in another.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools.billing.refunding import tax_part
from tools.billing.types import BillingPicture, Charge, Discount, Invoice, InvoiceLine, Subscription
from tools.money import Money

Occasion = Literal["first", "renewal", "trial_ended", "change", "one_off", "unknown"]
"""A plan's first charge, its next period, the first one after a trial, a change in mid-period, or no plan at all.
`unknown` is a charge whose invoice could not be seen."""

ChargeState = Literal["paid", "partly_refunded", "refunded", "disputed", "failed", "pending", "authorised", "released"]
"""`authorised` has taken nothing yet, `released` never will: both leave the statement by themselves."""

_BY_REASON: dict[str | None, Occasion] = {
    "subscription_create": "first",
    "subscription_cycle": "renewal",
    "subscription_update": "change",
    "subscription_threshold": "renewal",
    "manual": "one_off",
    "quote_accept": "one_off",
}


@dataclass(frozen=True, kw_only=True)
class Instalment:
    """One of several payments of an invoice."""

    place: int
    """From 1, the oldest."""
    so_far: int
    """Payments by now; more may follow while the invoice is open."""
    whole: Money


@dataclass(frozen=True, kw_only=True)
class ChargeExplanation:
    charge: Charge
    """With card, statement text, description, order and the reason for a decline."""
    occasion: Occasion
    state: ChargeState
    invoice: Invoice | None
    lines: tuple[InvoiceLine, ...]
    """Of the whole invoice, even when this charge paid only part of it."""
    subscription: Subscription | None
    failed_before: tuple[datetime, ...]
    """Declined attempts at the same payment, oldest first: this one is a retry."""
    instalment: Instalment | None
    tax: Money
    """Within this charge, in proportion."""
    discounts: tuple[Discount, ...]
    credit_used: Money | None
    """What the credit balance paid of the invoice besides."""
    refundable: Money
    usual_currency: str | None
    """Where most of the customer's other charges are in another currency."""


def explain_charge(picture: BillingPicture, charge: Charge) -> ChargeExplanation:
    invoice = next((each for each in picture.invoices if each.id == charge.invoice), None)
    return ChargeExplanation(
        charge=charge,
        occasion=_occasion(charge, invoice, picture),
        state=_state(charge),
        invoice=invoice,
        lines=invoice.lines if invoice else (),
        subscription=_subscription(invoice, picture),
        failed_before=_failed_before(charge, picture),
        instalment=_instalment(charge, invoice, picture) if invoice else None,
        tax=tax_part(charge.amount, invoice) if invoice else Money(0, charge.amount.currency),
        discounts=_discounts(invoice) if invoice else (),
        credit_used=(invoice.credit_used or None) if invoice else None,
        refundable=charge.refundable,
        usual_currency=_usual_currency(charge, picture),
    )


def _occasion(charge: Charge, invoice: Invoice | None, picture: BillingPicture) -> Occasion:
    if charge.invoice is None:
        return "one_off"
    if invoice is None:
        return "unknown"
    occasion = _BY_REASON.get(invoice.reason) or _by_lines(invoice, picture)
    return "trial_ended" if occasion == "renewal" and _follows_a_trial(invoice, picture) else occasion


def _by_lines(invoice: Invoice, picture: BillingPicture) -> Occasion:
    """For invoices that do not say why they were made."""
    if invoice.subscription is None:
        return "one_off"
    if invoice.lines and all(line.proration for line in invoice.lines):
        return "change"
    return "renewal" if _before(invoice, picture) else "first"


def _follows_a_trial(invoice: Invoice, picture: BillingPicture) -> bool:
    before = _before(invoice, picture)
    return bool(before) and all(not line.amount for each in before for line in each.lines if not line.proration)


def _before(invoice: Invoice, picture: BillingPicture) -> list[Invoice]:
    """Issued earlier for the same subscription."""
    return [
        each
        for each in picture.invoices
        if each.subscription == invoice.subscription and each.created < invoice.created and each.status != "draft"
    ]


def _state(charge: Charge) -> ChargeState:
    if charge.status == "failed":
        return "failed"
    if charge.status != "succeeded":
        return "pending"
    if charge.is_contested:
        return "disputed"
    if not charge.captured:
        return "released" if charge.refunded else "authorised"
    if not charge.refunded:
        return "paid"
    return "partly_refunded" if charge.refunded < charge.captured else "refunded"


def _subscription(invoice: Invoice | None, picture: BillingPicture) -> Subscription | None:
    wanted = invoice.subscription if invoice else None
    return next((each for each in picture.subscriptions if each.id == wanted), None)


def _failed_before(charge: Charge, picture: BillingPicture) -> tuple[datetime, ...]:
    return tuple(
        sorted(
            each.created
            for each in picture.charges
            if each.status == "failed" and each.created < charge.created and same_payment(each, charge)
        )
    )


def same_payment(one: Charge, other: Charge) -> bool:
    """Attempts at one payment, of which at most one takes money."""
    if one.payment_intent and one.payment_intent == other.payment_intent:
        return True
    return one.invoice is not None and one.invoice == other.invoice and one.amount == other.amount


def _instalment(charge: Charge, invoice: Invoice, picture: BillingPicture) -> Instalment | None:
    paid = sorted(
        (each.created, each.id) for each in picture.charges if each.invoice == invoice.id and each.status == "succeeded"
    )
    here = (charge.created, charge.id)
    whole = invoice.asked or invoice.payable
    if here not in paid or not charge.amount < whole:
        return None
    return Instalment(place=paid.index(here) + 1, so_far=len(paid), whole=whole)


def _discounts(invoice: Invoice) -> tuple[Discount, ...]:
    """One without a name where only the sum is known."""
    return invoice.discounts or ((Discount(amount=invoice.discount),) if invoice.discount else ())


def _usual_currency(charge: Charge, picture: BillingPicture) -> str | None:
    others = Counter(each.amount.currency for each in picture.charges if each.id != charge.id)
    own = others.pop(charge.amount.currency, 0)
    # Ties, and names that would decide them, must not depend on the order of reading.
    usual, times = max(others.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return usual if times > own else None
