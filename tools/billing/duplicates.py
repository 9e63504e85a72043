"""Charges that were made twice, and charges that only look like it.

Two signs. An invoice that was paid more than it asked for: what is over was paid twice, whatever the card or day.
And two charges of one amount that nothing explains (`likeness.why_not`). The earlier charge is kept, the later one is
to be refunded. Whatever the data cannot tell from an honest purchase is never a finding: `explain_pairs` then says
what stands in the way, and whether a person should look.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from tools.billing.charge_facts import same_payment
from tools.billing.likeness import LONGEST, WITHIN, Because, Explanation, Invoices, tells_apart, why_not
from tools.billing.types import BillingPicture, Charge, DuplicateCharge, DuplicateSign, Invoice, Payment
from tools.money import Money


@dataclass(frozen=True, kw_only=True)
class ExplainedPair:
    """Two charges of the same amount that are not the same payment."""

    earlier: Charge
    later: Charge
    because: Because
    certain: bool
    """False where the data would look the same had somebody made a mistake: a person decides."""


def find_duplicates(picture: BillingPicture) -> tuple[DuplicateCharge, ...]:
    """Newest first. No charge is named twice as `later`, and none as `later` here and as `earlier` there.

    Where the oldest charges are missing, what they could explain is no finding.
    """
    invoices = {invoice.id: invoice for invoice in picture.invoices}
    found = {pair.later.id: pair for pair in _overpaid(picture, invoices)}
    found |= {pair.later.id: pair for pair in _twins(picture, invoices, besides=found.keys())}
    kept = (_keeping_the_first(pair, found) for pair in found.values())
    told = (pair for pair in kept if picture.complete or _is_within_sight(pair, picture, invoices))
    return tuple(sorted(told, key=lambda pair: _age(pair.later), reverse=True))


def explain_pairs(picture: BillingPicture, *, within: timedelta = WITHIN) -> tuple[ExplainedPair, ...]:
    """Newest first: each charge with the look-alikes before it, no longer before it than `within`, nearest first.

    Duplicates are left out. Attempts that took no money are paired too: banks show them for some days.
    """
    twice = {pair.later.id for pair in find_duplicates(picture)}
    once = [charge for charge in picture.charges if charge.id not in twice]
    invoices = {invoice.id: invoice for invoice in picture.invoices}
    pairs = (_explained(pair, picture, invoices) for group in _groups(once) for pair in _look_alikes(group, within))
    return tuple(sorted(filter(None, pairs), key=lambda pair: (_age(pair.later), _age(pair.earlier)), reverse=True))


def _age(charge: Charge) -> tuple[object, ...]:
    return charge.created, charge.id


def _is_settled(charge: Charge) -> bool:
    return _took_all(charge) and not charge.refunded and not charge.disputed


def _took_all(charge: Charge) -> bool:
    return charge.status == "succeeded" and charge.captured == charge.amount and charge.amount.amount > 0


def _groups(charges: Iterable[Charge]) -> Iterable[list[Charge]]:
    """Of one figure each, oldest first. In whatever currency: 49 dollars next to 49 euros look like a double charge."""
    alike = defaultdict(list)
    for charge in sorted(charges, key=_age):
        alike[charge.amount.decimal].append(charge)
    return alike.values()


def _is_within_sight(pair: DuplicateCharge, picture: BillingPicture, invoices: Invoices) -> bool:
    """Nothing that is missing could have been paid for the same."""
    seen = {charge.id for charge in picture.charges}
    oldest = min(charge.created for charge in picture.charges)
    paying = [payment for payment in _payments(pair, invoices) if payment.status == "paid" and payment.charge]
    return pair.earlier.created - oldest > LONGEST and all(payment.charge in seen for payment in paying)


def _payments(pair: DuplicateCharge, invoices: Invoices) -> Iterator[Payment]:
    for charge in (pair.earlier, pair.later):
        if invoice := invoices.get(charge.invoice or ""):
            yield from invoice.payments


def _twins(picture: BillingPicture, invoices: Invoices, besides: Container[str]) -> Iterator[DuplicateCharge]:
    """Refunded charges still stand for what they paid: after a refund, the next look-alike is no duplicate."""
    for group in _groups(filter(_took_all, picture.charges)):
        for cluster in _clusters(group, invoices):
            left = [charge for charge in cluster if _is_settled(charge) and charge.id not in besides]
            for later in left[1:]:
                yield _duplicate(left[0], later, "same_order" if later.order_id else "alike")


def _clusters(group: Iterable[Charge], invoices: Invoices) -> Iterable[list[Charge]]:
    """Charges of which nothing tells any two apart.

    Not only from the first: next to one stray payment, the renewals of two subscriptions are not both in error.
    """
    clusters: list[list[Charge]] = []
    for charge in group:
        recent = (cluster for cluster in reversed(clusters) if charge.created - cluster[0].created <= LONGEST)
        fitting = [c for c in recent if not any(tells_apart(earlier, charge, invoices) for earlier in c)]
        if fitting:
            fitting[-1].append(charge)
        else:
            clusters.append([charge])
    return clusters


def _overpaid(picture: BillingPicture, invoices: Invoices) -> Iterator[DuplicateCharge]:
    paying = defaultdict(list)
    for charge in sorted(filter(_is_settled, picture.charges), key=_age):
        invoice = invoices.get(charge.invoice or "")
        if invoice and invoice.total.currency == charge.amount.currency:
            paying[invoice.id].append(charge)
    for paid, charges in paying.items():
        for pair in _too_many(invoices[paid], charges, picture.charges):
            if not _may_be_credited(picture, pair.later):
                yield pair


def _too_many(invoice: Invoice, settled: list[Charge], charges: Iterable[Charge]) -> Iterator[DuplicateCharge]:
    """From the newest: a charge without which the invoice is still paid in full."""
    over = _surplus(invoice, settled, charges)
    for charge in reversed(settled[1:]):
        if charge.captured.amount <= over:
            over -= charge.captured.amount
            yield _duplicate(settled[0], charge, "overpaid")


def _surplus(invoice: Invoice, settled: Iterable[Charge], charges: Iterable[Charge]) -> int:
    """What was paid too much and is still here, by our sum or by Stripe's: it also knows of credit notes."""
    asked = max(invoice.payable, invoice.asked or invoice.payable).amount
    ours = sum(charge.captured.amount for charge in settled) - asked
    given_back = sum(charge.refunded.amount for charge in charges if charge.invoice == invoice.id)
    theirs = invoice.overpaid.amount - given_back if invoice.overpaid else 0
    return max(ours, theirs)


def overpaid(picture: BillingPicture, invoice: Invoice) -> Money:
    """What came in for it above what it asked for and was not given back, whether or not it became credit."""
    settled = [c for c in picture.charges if c.invoice == invoice.id and _is_settled(c)]
    over = _surplus(invoice, settled, picture.charges) if settled else 0
    return Money(max(0, over), invoice.total.currency)


def _may_be_credited(picture: BillingPicture, later: Charge) -> bool:
    """Stripe puts what is overpaid on the credit balance: a refund would then give it back a second time."""
    balance = picture.customer.balance
    if balance and balance.currency == later.amount.currency and balance.amount < 0:
        return True
    return any(invoice.credit_used and invoice.created >= later.created for invoice in picture.invoices)


def _keeping_the_first(pair: DuplicateCharge, found: dict[str, DuplicateCharge]) -> DuplicateCharge:
    """The charge that is kept must not be refunded by another finding."""
    first = pair.earlier
    while first.id in found:
        first = found[first.id].earlier
    return pair if first is pair.earlier else _duplicate(first, pair.later, pair.sign)


def _duplicate(earlier: Charge, later: Charge, sign: DuplicateSign) -> DuplicateCharge:
    ids = (earlier.id, later.id, earlier.payment_intent, later.payment_intent, earlier.invoice, later.invoice)
    evidence = tuple(dict.fromkeys(name for name in ids if name))
    return DuplicateCharge(earlier=earlier, later=later, evidence=evidence, sign=sign)


def _look_alikes(group: list[Charge], within: timedelta) -> Iterator[tuple[Charge, Charge]]:
    """Each charge with the last one before it, rather one that took money if it did itself; a retry with its try."""
    for place, later in enumerate(group):
        before = [earlier for earlier in group[:place] if later.created - earlier.created <= within]
        settled = [earlier for earlier in before if _is_settled(earlier)] if _is_settled(later) else []
        declined = [earlier for earlier in before if earlier.status == "failed" and same_payment(earlier, later)]
        nearest = (settled or before)[-1:]
        for earlier in nearest + [each for each in declined[-1:] if each not in nearest]:
            yield earlier, later


def _explained(pair: tuple[Charge, Charge], picture: BillingPicture, invoices: Invoices) -> ExplainedPair | None:
    earlier, later = pair
    why = why_not(earlier, later, invoices)
    if why is None:
        return None
    if why.because == "instalment" and _is_too_much(later, picture, invoices):
        why = Explanation(because="credited", certain=False)
    return ExplainedPair(earlier=earlier, later=later, because=why.because, certain=why.certain)


def _is_too_much(later: Charge, picture: BillingPicture, invoices: Invoices) -> bool:
    """Of an instalment: it would be a duplicate, were it not on the credit balance."""
    invoice = invoices[later.invoice or ""]
    settled = sorted((c for c in picture.charges if c.invoice == invoice.id and _is_settled(c)), key=_age)
    return any(pair.later.id == later.id for pair in _too_many(invoice, settled, picture.charges))
