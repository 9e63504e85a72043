"""Small makers of billing nouns: a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.billing.types import (
    BillingPicture,
    Card,
    Charge,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    InvoiceLine,
    Subscription,
)
from tools.money import Money

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
VISA = Card(brand="visa", last4="4242", fingerprint="fp_visa")
MASTERCARD = Card(brand="mastercard", last4="4444", fingerprint="fp_mastercard")


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def charge(name: str, *, minutes: float = 0, **changes: Any) -> Charge:
    """49.00 USD on a Visa, paid in full, `minutes` after NOW."""
    amount = changes.pop("amount", usd(4900))
    base = Charge(
        id=f"ch_{name}",
        payment_intent=f"pi_{name}",
        amount=amount,
        captured=amount,
        refunded=Money(0, amount.currency),
        status="succeeded",
        disputed=False,
        created=NOW + timedelta(minutes=minutes),
        description="Pro plan",
        card=VISA,
    )
    return replace(base, **changes)


def line(description: str = "1 × Pro (at $49.00 / month)", amount: int = 4900, **changes: Any) -> InvoiceLine:
    base = InvoiceLine(
        description=description,
        amount=usd(amount),
        quantity=1,
        period_start=NOW,
        period_end=NOW + timedelta(days=30),
        proration=False,
    )
    return replace(base, **changes)


def invoice(name: str, *lines: InvoiceLine, **changes: Any) -> Invoice:
    total = sum(entry.amount.amount for entry in lines)
    base = Invoice(
        id=f"in_{name}",
        number=f"CF-{name}",
        status="paid",
        total=usd(total),
        paid=usd(total),
        remaining=usd(0),
        tax=usd(0),
        created=NOW,
        due=None,
        lines=lines,
        subscription=None,
        charges=(),
        pdf_url=None,
        hosted_url=None,
    )
    return replace(base, **changes)


def dispute(status: str, *, refundable: bool = False, **changes: Any) -> Dispute:
    """Of charge "a"."""
    base = Dispute(
        id="du_1",
        charge="ch_a",
        status=status,
        reason="fraudulent",
        amount=usd(4900),
        created=NOW,
        due_by=None,
        refundable=refundable,
    )
    return replace(base, **changes)


def credit_note(**changes: Any) -> CreditNote:
    base = CreditNote(
        id="cn_1",
        number="CF-1-CN-01",
        invoice="in_1",
        amount=usd(500),
        reason="order_change",
        status="issued",
        created=NOW,
        refunds=("re_1",),
    )
    return replace(base, **changes)


def subscription(**changes: Any) -> Subscription:
    """Team for 49.00 USD a month, in the period that begins now."""
    base = Subscription(
        id="sub_1",
        status="active",
        plan="Team",
        price=usd(4900),
        interval="month",
        quantity=1,
        period_start=NOW,
        period_end=NOW + timedelta(days=30),
        cancel_at_period_end=False,
    )
    return replace(base, **changes)


def picture(
    *charges: Charge,
    invoices: tuple[Invoice, ...] = (),
    subscriptions: tuple[Subscription, ...] = (),
    balance: Money | None = None,
) -> BillingPicture:
    return BillingPicture(
        customer=Customer(id="cus_1", email="ada@example.com", name="Ada", phone=None, balance=balance),
        invoices=invoices,
        charges=charges,
        refunds=(),
        subscriptions=subscriptions,
        read_at=NOW,
    )
