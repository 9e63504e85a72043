"""Charges that were made twice.

Candidates have the same currency, amount and card, succeeded and were captured in full within 24 hours, by
different payment intents, and neither is refunded or disputed. A candidate is dropped when anything explains
it: other order, other subscription, other period, other lines, other description. Not finding the invoice that
a charge paid counts as an explanation: a person can still refund it, but code must not.

An invoice that was paid more than it asks for needs no such signs: what is over was paid twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from tools.billing.types import BillingPicture, Charge, DuplicateCharge, Invoice, InvoiceLine

WITHIN = timedelta(hours=24)

Invoices = Mapping[str, Invoice]


def find_duplicates(picture: BillingPicture) -> tuple[DuplicateCharge, ...]:
    """Newest first; a charge is named at most once as `later`."""
    settled = [charge for charge in picture.charges if _is_settled(charge)]
    invoices = {invoice.id: invoice for invoice in picture.invoices}
    found = {dup.later.id: dup for dup in (*_twins(settled, invoices), *_paid_twice(settled, invoices))}
    return tuple(sorted(found.values(), key=lambda dup: dup.later.created, reverse=True))


def _is_settled(charge: Charge) -> bool:
    return (
        charge.status == "succeeded"
        and charge.captured == charge.amount
        and charge.amount.amount > 0
        and not charge.refunded
        and not charge.disputed
    )


def _twins(settled: Iterable[Charge], invoices: Invoices) -> Iterable[DuplicateCharge]:
    alike = defaultdict(list)
    for charge in settled:
        if charge.card and charge.card.fingerprint:
            alike[charge.amount, charge.card.fingerprint].append(charge)
    for group in alike.values():
        yield from _twins_among(group, invoices)


def _twins_among(group: list[Charge], invoices: Invoices) -> Iterable[DuplicateCharge]:
    kept: list[Charge] = []
    for charge in sorted(group, key=lambda charge: (charge.created, charge.id)):
        original = next((earlier for earlier in kept if _is_twin(earlier, charge, invoices)), None)
        if original:
            yield _duplicate(original, charge)
        else:
            kept.append(charge)


def _is_twin(earlier: Charge, later: Charge, invoices: Invoices) -> bool:
    return (
        later.created - earlier.created <= WITHIN
        and (earlier.payment_intent is None or earlier.payment_intent != later.payment_intent)
        and not _is_explained(earlier, later, invoices)
    )


def _is_explained(earlier: Charge, later: Charge, invoices: Invoices) -> bool:
    if earlier.order_id != later.order_id:
        return True
    # A payment outside any invoice says what it was for in its description alone.
    if earlier.invoice is None or later.invoice is None:
        return earlier.description != later.description
    one, other = invoices.get(earlier.invoice or ""), invoices.get(later.invoice or "")
    # Two payments of one invoice may be instalments; whether they are too many is `_paid_twice`'s question.
    if one is None or other is None or one.id == other.id:
        return True
    return one.subscription != other.subscription or not _same_lines(one.lines, other.lines)


def _same_lines(ones: Iterable[InvoiceLine], others: Iterable[InvoiceLine]) -> bool:
    by_text = [sorted(lines, key=lambda line: (line.description, line.amount.amount)) for lines in (ones, others)]
    return len(by_text[0]) == len(by_text[1]) and all(map(_same_line, *by_text))


def _same_line(one: InvoiceLine, other: InvoiceLine) -> bool:
    alike = (one.description, one.product, one.amount, one.quantity) == (
        other.description,
        other.product,
        other.amount,
        other.quantity,
    )
    return alike and not _follow_each_other(one, other)


def _follow_each_other(one: InvoiceLine, other: InvoiceLine) -> bool:
    """Different periods. An instant, as one-off lines have, is no period."""
    if one.period_start == one.period_end or other.period_start == other.period_end:
        return False
    return one.period_end <= other.period_start or other.period_end <= one.period_start


def _paid_twice(settled: Iterable[Charge], invoices: Invoices) -> Iterable[DuplicateCharge]:
    paying = defaultdict(list)
    for charge in settled:
        if charge.invoice:
            paying[charge.invoice].append(charge)
    for invoice in paying.keys() & invoices.keys():
        yield from _too_many(invoices[invoice], sorted(paying[invoice], key=lambda charge: charge.created))


def _too_many(invoice: Invoice, charges: list[Charge]) -> Iterable[DuplicateCharge]:
    """From the newest: a charge without which the invoice is still paid in full."""
    over = sum(charge.captured.amount for charge in charges) - invoice.payable.amount
    for charge in reversed(charges[1:]):
        if charge.captured.amount <= over:
            over -= charge.captured.amount
            yield _duplicate(charges[0], charge)


def _duplicate(earlier: Charge, later: Charge) -> DuplicateCharge:
    ids = (earlier.id, later.id, earlier.payment_intent, later.payment_intent, earlier.invoice, later.invoice)
    return DuplicateCharge(earlier=earlier, later=later, evidence=tuple(dict.fromkeys(name for name in ids if name)))
