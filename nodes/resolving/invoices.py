"""Questions about invoices: list, PDF, why this amount."""

from itertools import takewhile

from nodes.drafting import Draft, Value, draft, lines, sentences
from nodes.resolving.explaining import LINES_SHOWN, bill_line, declined
from nodes.resolving.matter import Matter, Proposal, Resolution, request_on
from tools.billing.analysis import explain_change, find_duplicates, is_change, pair_to_compare
from tools.billing.types import AmountChange, ChangeKind, Charge, Invoice, InvoiceStatus

WORDS: dict[InvoiceStatus, str] = {
    "draft": "draft",
    "open": "open",
    "paid": "paid",
    "uncollectible": "written off",
    "void": "void",
    "unknown": "in a state that a person has to look up",
}
CHANGES: dict[ChangeKind, str] = {
    "proration": "Part of a period",
    "quantity": "Number of seats",
    "price": "Price",
    "tax": "Tax",
    "new_line": "New",
    "dropped_line": "No longer on it",
    "discount": "Discount",
    "discount_started": "Discount that began",
    "discount_ended": "Discount that ended",
    "credit": "Credit",
    "period": "Length of the period",
    "tax_rate": "Tax",
    "trial_ended": "End of the trial",
    "currency": "Currency",
}


def list_invoices(matter: Matter) -> Resolution:
    invoices = matter.picture.invoices[: matter.shown]
    if not invoices:
        return Resolution(draft=draft("invoices_none"))
    return Resolution(draft=lines([draft("invoices_intro"), *map(_line, invoices)]))


def payment_failed(matter: Matter) -> Resolution:
    """Why the newest attempt was declined, whether it was paid since, and what is open."""
    failed = next((charge for charge in matter.picture.charges if charge.status == "failed"), None)
    said = draft("payments_fine")
    if failed:
        later = [c for c in matter.picture.charges if _paid_after(c, failed)]
        said = declined(failed)
        said = said.then(draft("payment_paid_later", date=later[-1].created)) if later else said
    return Resolution(draft=said + list_invoices(matter).draft)


def _paid_after(charge: Charge, failed: Charge) -> bool:
    same = charge.payment_intent == failed.payment_intent or (charge.invoice and charge.invoice == failed.invoice)
    return charge.status == "succeeded" and charge.created > failed.created and bool(same)


def invoice_pdf(matter: Matter) -> Resolution:
    wanted = matter.details.get("invoice_number")
    invoice = _numbered(matter, wanted) if wanted else next(iter(_issued(matter)), None)
    if invoice is None:
        return Resolution(draft=(draft("invoice_unknown") if wanted else Draft()) + list_invoices(matter).draft)
    if invoice.pdf_url is None:
        return Resolution(draft=draft("invoice_pdf_draft", number=_number(invoice)))
    said = draft("invoice_pdf", number=_number(invoice), date=invoice.created, total=invoice.total, url=invoice.pdf_url)
    return Resolution(draft=said.with_card(_card(invoice)))


def resend_invoice(matter: Matter) -> Resolution:
    """Once more by e-mail, where the provider mails it: not one that is charged by itself. Of that the PDF is there."""
    wanted, email = matter.details.get("invoice_number"), matter.picture.customer.email
    invoice = _numbered(matter, wanted) if wanted else next(iter(_issued(matter)), None)
    if invoice is None or invoice not in _issued(matter):
        return invoice_pdf(matter)
    if invoice.due is None or email is None:
        return Resolution(draft=draft("resend_not_mailed", number=_number(invoice)) + invoice_pdf(matter).draft)
    return Resolution(proposal=resending(matter, invoice))


def resending(matter: Matter, invoice: Invoice) -> Proposal:
    request = request_on(matter, "resend_invoice", invoice, invoice.total)
    details = {"number": _number(invoice), "email": matter.picture.customer.email, "evidence_ids": [invoice.id]}
    return Proposal(request=request, details=details)


def explain_amount_change(matter: Matter) -> Resolution:
    invoices = _issued(matter)
    wanted = matter.details.get("invoice_number")
    current = (_numbered(matter, wanted) if wanted else None) or next(iter(invoices), None)
    if current is None:
        return Resolution(draft=draft("invoices_none"))
    said = Draft()
    if not wanted:
        said, current = _besides(invoices, current)
    return Resolution(draft=said + _compared(invoices, current) + _twice(matter))


def _besides(invoices: list[Invoice], current: Invoice) -> tuple[Draft, Invoice]:
    """What the newest invoices are that belong to no series, and the newest that does, if there is one."""
    alone = list(takewhile(lambda each: is_change(each) or pair_to_compare(invoices, each) is None, invoices))
    regular = next((each for each in invoices if each not in alone), None)
    if regular is None or not alone:
        return Draft(), current
    return lines([_alone(each) for each in alone]), regular


def _alone(invoice: Invoice) -> Draft:
    said = draft(
        "invoice_of_change" if is_change(invoice) else "invoice_alone",
        number=_number(invoice),
        date=invoice.created,
        total=invoice.total,
    )
    return _billed(said, invoice)


def _billed(said: Draft, invoice: Invoice) -> Draft:
    """With its first lines, and the tax that they may not show."""
    left = len(invoice.lines) - LINES_SHOWN
    more = [draft("more_lines", count=left)] if left > 0 else []
    told = lines([said, *map(bill_line, invoice.lines[:LINES_SHOWN]), *more])
    return told.line(draft("charge_tax", tax=invoice.tax)) if invoice.tax else told


def _compared(invoices: list[Invoice], current: Invoice) -> Draft:
    pair = pair_to_compare(invoices, current)
    here: dict[str, Value] = {"number": _number(current), "date": current.created, "total": current.payable}
    if pair is None:
        said = draft("change_first" if len(invoices) == 1 else "change_none_alike", **here)
        return _billed(said, current)
    previous = pair[1]
    there: dict[str, Value] = {"previous_number": _number(previous), "previous_date": previous.created}
    if current.total.currency != previous.total.currency:
        return draft("change_currency", **here, **there, previous_total=previous.payable)
    if current.payable == previous.payable:
        return draft("change_same", **here, **there)
    intro = draft(
        "change_intro", **here, **there, previous_total=previous.payable, difference=current.payable - previous.payable
    )
    return lines([intro, *map(_change, explain_change(current, previous))])


def _twice(matter: Matter) -> Draft:
    """A payment made twice makes a month dearer too, though no invoice shows it."""
    found = find_duplicates(matter.picture)
    if not found:
        return Draft()
    pair = found[0]
    return draft("change_twice", amount=pair.later.amount, date=pair.later.created)


def _line(invoice: Invoice) -> Draft:
    said = draft(
        "invoice_line",
        number=_number(invoice),
        date=invoice.created,
        total=invoice.total,
        status=WORDS[invoice.status],
        rest=_rest(invoice),
    )
    return said.with_card(_card(invoice))


def _rest(invoice: Invoice) -> Draft:
    """In brackets: how it was paid where not by card alone, what was taken off, what is still to pay."""
    said = []
    if invoice.credit_used:
        said.append(draft("invoice_from_credit", used=invoice.credit_used))
    if invoice.off_stripe and invoice.off_stripe == invoice.payable:
        said.append(draft("invoice_elsewhere"))
    elif invoice.off_stripe:
        said.append(draft("invoice_partly_elsewhere", paid=invoice.off_stripe))
    if invoice.total.amount < 0:
        said.append(draft("invoice_became_credit"))
    if invoice.credited:
        said.append(draft("invoice_credited", credited=invoice.credited))
    if invoice.status == "open" and invoice.remaining:
        said.append(draft("invoice_remaining", remaining=invoice.remaining, due=invoice.due or invoice.created))
    if not said:
        return Draft()
    facts = sentences(said).facts
    return Draft(text=f" ({'; '.join(each.text for each in said)})", facts=facts)


def _card(invoice: Invoice) -> dict[str, object]:
    return {
        "type": "invoice",
        "number": _number(invoice),
        "status": invoice.status,
        "amount": invoice.total.amount,
        "currency": invoice.total.currency,
        "date": invoice.created.date().isoformat(),
        "pdf_url": invoice.pdf_url,
    }


def _change(change: AmountChange) -> Draft:
    return draft("change_line", what=f"{CHANGES[change.kind]}: {change.description}", difference=change.difference)


def _issued(matter: Matter) -> list[Invoice]:
    """Finalised invoices that ask or asked for money, newest first."""
    return [i for i in matter.picture.invoices if i.status in {"open", "paid", "uncollectible"}]


def _numbered(matter: Matter, number: str) -> Invoice | None:
    return next((i for i in matter.picture.invoices if i.number and i.number.upper() == number.upper()), None)


def _number(invoice: Invoice) -> str:
    return invoice.number or "(draft)"
