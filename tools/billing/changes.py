"""Why an invoice is not the same as the one before it, as facts that add up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from tools.billing.types import AmountChange, Invoice, InvoiceLine
from tools.money import Money

Kind = Literal["proration", "quantity", "price", "tax", "new_line", "dropped_line", "discount", "credit"]

# Stripe writes quantity and price into the line's text: "3 × Team seat (at $12.00 / month)".
_COUNTED = re.compile(r"^\d[\d,.]* × ")
_PRICED = re.compile(r" \(at [^()]* / [^()]*\)$")


def explain_change(current: Invoice, previous: Invoice) -> tuple[AmountChange, ...]:
    """Largest first. The differences add up to the difference of what had to be paid (`payable`).

    Nothing is said about invoices in two currencies.
    """
    if current.total.currency != previous.total.currency:
        return ()
    changes = (
        *_prorations(current, previous),
        *_plain_lines(current, previous),
        *_discount_and_tax(current, previous),
        *_credit_balance(current, previous),
    )
    return tuple(sorted((c for c in changes if c.difference), key=lambda c: abs(c.difference.amount), reverse=True))


@dataclass(frozen=True, kw_only=True)
class _Sold:
    """All plain lines of one product on an invoice."""

    name: str
    amount: int
    quantity: int


def _prorations(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    """Those of the previous invoice count too: they are gone now."""
    for line in current.lines:
        if line.proration:
            yield AmountChange(kind="proration", description=line.description, difference=line.amount)
    for line in previous.lines:
        if line.proration:
            gone = Money(-line.amount.amount, line.amount.currency)
            yield AmountChange(kind="proration", description=line.description, difference=gone)


def _plain_lines(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    now, before = _sold(current.lines), _sold(previous.lines)
    currency = current.total.currency
    for key in dict.fromkeys((*now, *before)):
        yield from _between(now.get(key), before.get(key), currency)


def _sold(lines: Iterable[InvoiceLine]) -> dict[str, _Sold]:
    sold: dict[str, _Sold] = {}
    for line in lines:
        if line.proration:
            continue
        name = _name(line)
        # A credit on a product must not net out against the product itself.
        key = f"{'-' if line.amount.amount < 0 else '+'}{line.product or name}"
        earlier = sold.get(key, _Sold(name=name, amount=0, quantity=0))
        sold[key] = _Sold(
            name=earlier.name,
            amount=earlier.amount + line.amount.amount,
            quantity=earlier.quantity + line.quantity,
        )
    return sold


def _name(line: InvoiceLine) -> str:
    return _PRICED.sub("", _COUNTED.sub("", line.description)) or "Item"


def _between(now: _Sold | None, before: _Sold | None, currency: str) -> Iterable[AmountChange]:
    match now, before:
        case _Sold(), None:
            yield _change("credit" if now.amount < 0 else "new_line", now.name, now.amount, currency)
        case None, _Sold():
            yield _change("credit" if before.amount < 0 else "dropped_line", before.name, -before.amount, currency)
        case _Sold(), _Sold():
            yield from _more_or_dearer(now, before, currency)


def _more_or_dearer(now: _Sold, before: _Sold, currency: str) -> Iterable[AmountChange]:
    """What the other quantity makes at the old price; the rest is the price."""
    difference = now.amount - before.amount
    if now.amount < 0:
        yield _change("credit", now.name, difference, currency)
        return
    by_quantity = round((now.quantity - before.quantity) * Fraction(before.amount, before.quantity or 1))
    counts = f"{now.name}: {before.quantity} → {now.quantity}"
    yield _change("quantity", counts, by_quantity, currency)
    yield _change("price", now.name, difference - by_quantity, currency)


def _discount_and_tax(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    """Tax is what the lines less discounts do not explain: tax inside prices is no addition."""
    currency = current.total.currency
    yield _change("discount", "Discount", _discount(previous) - _discount(current), currency)
    on_top = _on_top(current) - _on_top(previous)
    if current.tax or previous.tax:
        yield _change("tax", "Tax", on_top, currency)
    else:
        yield _change("discount", "Discount", on_top, currency)


def _discount(invoice: Invoice) -> int:
    return invoice.discount.amount if invoice.discount else 0


def _on_top(invoice: Invoice) -> int:
    return invoice.total.amount - sum(line.amount.amount for line in invoice.lines) + _discount(invoice)


def _credit_balance(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    used = [invoice.credit_used.amount if invoice.credit_used else 0 for invoice in (previous, current)]
    yield _change("credit", "Credit balance", used[0] - used[1], current.total.currency)


def _change(kind: Kind, description: str, difference: int, currency: str) -> AmountChange:
    return AmountChange(kind=kind, description=description, difference=Money(difference, currency))
