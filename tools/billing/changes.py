"""Why an invoice is not the same as the one before it, as facts that add up."""

from collections.abc import Iterable
from fractions import Fraction

from tools.billing.sold import Sold, sold
from tools.billing.types import AmountChange, ChangeKind, Discount, Invoice
from tools.money import Money

FINALISED = frozenset({"open", "paid", "uncollectible"})


def pair_to_compare(invoices: Iterable[Invoice], current: Invoice | None = None) -> tuple[Invoice, Invoice] | None:
    """`current`, else the newest, and the one before it for the same subscription. Drafts and void ones do not count.

    Bills of mid-period changes are passed over: a renewal is compared with the renewal before it. None when there is
    nothing to compare with.
    """
    issued = sorted((each for each in invoices if each.status in FINALISED), key=_age, reverse=True)
    newest = current or next(iter(issued), None)
    if newest is None:
        return None
    before = [each for each in issued if each.subscription == newest.subscription and _age(each) < _age(newest)]
    previous = next((each for each in before if not is_change(each)), None) or next(iter(before), None)
    return (newest, previous) if previous else None


def explain_change(current: Invoice, previous: Invoice) -> tuple[AmountChange, ...]:
    """Largest first. The differences add up to the difference of what had to be paid (`payable`).

    Of invoices in two currencies only that is said, with a difference of nothing: amounts cannot be compared.
    """
    if current.total.currency != previous.total.currency:
        codes = " → ".join(invoice.total.currency.upper() for invoice in (previous, current))
        return (_change("currency", codes, 0, current.total.currency),)
    changes = (
        *_prorations(current, previous),
        *_plain_lines(current, previous),
        *_discounts(current, previous),
        *_tax(current, previous),
        *_credit_balance(current, previous),
    )
    return tuple(sorted((c for c in changes if c.difference), key=lambda c: abs(c.difference.amount), reverse=True))


def _age(invoice: Invoice) -> tuple[object, ...]:
    return invoice.created, invoice.id


def is_change(invoice: Invoice) -> bool:
    """A bill of a mid-period change alone, which belongs to no row of renewals."""
    return not _is_first(invoice) and bool(invoice.lines) and all(line.proration for line in invoice.lines)


def _is_first(invoice: Invoice) -> bool:
    """Of a subscription; a first period that is not a whole one is billed as a proration too."""
    return invoice.reason == "subscription_create"


def _prorations(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    """Those of the previous invoice count too: they are gone now."""
    for invoice, sign in ((current, 1), (previous, -1)):
        for line in invoice.lines:
            if line.proration and not _is_first(invoice):
                yield _change("proration", line.description, sign * line.amount.amount, line.amount.currency)


def _plain_lines(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    now, before = (
        sold(line for line in each.lines if not line.proration or _is_first(each)) for each in (current, previous)
    )
    currency = current.total.currency
    for key in dict.fromkeys((*now, *before)):
        yield from _between(now.get(key), before.get(key), currency)


def _between(now: Sold | None, before: Sold | None, currency: str) -> Iterable[AmountChange]:
    match now, before:
        case Sold(), None:
            yield _change("credit" if now.amount < 0 else "new_line", now.name, now.amount, currency)
        case None, Sold():
            yield _change("credit" if before.amount < 0 else "dropped_line", before.name, -before.amount, currency)
        case Sold(), Sold():
            yield from _more_or_dearer(now, before, currency)


def _more_or_dearer(now: Sold, before: Sold, currency: str) -> Iterable[AmountChange]:
    """What the other quantity makes at the old price; the rest is the price, or that of another length of time."""
    difference = now.amount - before.amount
    if now.amount < 0:
        yield _change("credit", now.name, difference, currency)
        return
    if before.trial and not now.trial:
        yield _change("trial_ended", now.name, difference, currency)
        return
    by_quantity = round((now.quantity - before.quantity) * Fraction(before.amount, before.quantity or 1))
    counts = f"{now.name}: {before.quantity} → {now.quantity}"
    yield _change("quantity", counts, by_quantity, currency)
    rest = difference - by_quantity
    if now.lasts_as_long_as(before):
        yield _change("price", now.name, rest, currency)
    else:
        yield _change("period", f"{now.name}: {before.days} → {now.days} days", rest, currency)


def _discounts(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    now, before = _by_coupon(current), _by_coupon(previous)
    currency = current.total.currency
    for key in dict.fromkeys((*now, *before)):
        name = (now.get(key) or before[key]).name or "Discount"
        amounts = [found[key].amount.amount if key in found else 0 for found in (now, before)]
        kind: ChangeKind = "discount" if all(amounts) else "discount_started" if amounts[0] else "discount_ended"
        yield _change(kind, name, amounts[1] - amounts[0], currency)


def _by_coupon(invoice: Invoice) -> dict[str, Discount]:
    """By coupon or name; what is known by neither is added up."""
    found: dict[str, Discount] = {}
    for part in _parts(invoice):
        key = part.coupon or part.name or ""
        amount = found[key].amount + part.amount if key in found else part.amount
        found[key] = Discount(amount=amount, name=part.name, coupon=part.coupon)
    return found


def _parts(invoice: Invoice) -> tuple[Discount, ...]:
    return invoice.discounts or ((Discount(amount=invoice.discount),) if invoice.discount else ())


def _tax(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    """Tax is what the lines less discounts do not explain: tax inside prices is no addition.

    At the rate of before, more is taxed; the rest is another rate, unless it is but rounding, line by line.
    """
    now, before = _on_top(current), _on_top(previous)
    currency = current.total.currency
    if not current.tax and not previous.tax:
        yield _change("discount", "Discount", now - before, currency)
        return
    by_base = round(_net(current) * _rate(previous)) - before if _net(previous) > 0 else 0
    by_rate = now - before - by_base
    if abs(by_rate) <= len(current.lines) + len(previous.lines):
        yield _change("tax", "Tax", now - before, currency)
    else:
        yield _change("tax", "Tax", by_base, currency)
        rates = " → ".join(f"{_percent(_rate(each))}" for each in (previous, current))
        yield _change("tax_rate", f"Tax rate: {rates}", by_rate, currency)


def _net(invoice: Invoice) -> int:
    return sum(line.amount.amount for line in invoice.lines) - sum(part.amount.amount for part in _parts(invoice))


def _on_top(invoice: Invoice) -> int:
    return invoice.total.amount - _net(invoice)


def _rate(invoice: Invoice) -> Fraction:
    return Fraction(_on_top(invoice), _net(invoice)) if _net(invoice) > 0 else Fraction(0)


def _percent(rate: Fraction) -> str:
    whole, tenths = divmod(round(rate * 1000), 10)
    return f"{whole}.{tenths}%" if tenths else f"{whole}%"


def _credit_balance(current: Invoice, previous: Invoice) -> Iterable[AmountChange]:
    used = [invoice.credit_used.amount if invoice.credit_used else 0 for invoice in (previous, current)]
    yield _change("credit", "Credit balance", used[0] - used[1], current.total.currency)


def _change(kind: ChangeKind, description: str, difference: int, currency: str) -> AmountChange:
    return AmountChange(kind=kind, description=description, difference=Money(difference, currency))
