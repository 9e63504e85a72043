"""How much can be given back, from which charge, and how much of it is tax."""

from collections.abc import Iterable
from fractions import Fraction

from tools.billing.plans import smallest_step
from tools.billing.types import Charge, Invoice
from tools.errors import Unprocessable
from tools.money import Money

Share = tuple[str, Money]
"""Id of a charge, and what of it is to be refunded."""


def allocate(
    invoice: Invoice,
    amount: Money,
    charges: Iterable[Charge],
) -> tuple[Share, ...]:
    """Spreads a refund over the payments of an invoice, the newest first, each up to what is left of it.

    The shares add up to `amount`. Raises `Unprocessable` when they cannot: too much, nothing, another currency, or
    an amount that Stripe does not take.
    """
    if (
        amount.currency != invoice.total.currency
        or amount.amount <= 0
        or amount.amount % smallest_step(amount.currency)
    ):
        raise Unprocessable(f"{amount.text()} cannot be refunded on an invoice of {invoice.total.text()}.")
    paying = [
        charge for charge in charges if charge.invoice == invoice.id and charge.amount.currency == amount.currency
    ]
    shares, left = [], amount.amount
    for charge in sorted(paying, key=lambda charge: (charge.created, charge.id), reverse=True):
        share = min(left, charge.refundable.amount)
        if share:
            shares.append((charge.id, Money(share, amount.currency)))
            left -= share
    if left:
        possible = Money(amount.amount - left, amount.currency)
        raise Unprocessable(f"{amount.text()} is more than the {possible.text()} that can be refunded on this invoice.")
    return tuple(shares)


def tax_part(amount: Money, invoice: Invoice, *, before: Money | None = None) -> Money:
    """The tax within `amount`, of which `before` was given back earlier.

    Proportional to the invoice's total. Rounding is carried along, so the parts of a whole add up to its tax.
    """
    earlier = before.amount if before else 0
    return Money(_tax_of(earlier + amount.amount, invoice) - _tax_of(earlier, invoice), amount.currency)


def _tax_of(amount: int, invoice: Invoice) -> int:
    if not invoice.total:
        return 0
    return round(Fraction(invoice.tax.amount * amount, invoice.total.amount))
