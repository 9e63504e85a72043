"""Questions about invoices: list, PDF, why this amount."""

from nodes.drafting import Draft, Value, draft, lines
from nodes.resolving.explaining import declined
from nodes.resolving.matter import Matter, Resolution
from tools.billing.analysis import explain_change, pair_to_compare
from tools.billing.types import AmountChange, ChangeKind, Charge, Invoice

WORDS = {"draft": "draft", "open": "open", "paid": "paid", "uncollectible": "written off", "void": "void"}
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


def explain_amount_change(matter: Matter) -> Resolution:
    invoices = _issued(matter)
    wanted = matter.details.get("invoice_number")
    current = (_numbered(matter, wanted) if wanted else None) or next(iter(invoices), None)
    if current is None:
        return Resolution(draft=draft("invoices_none"))
    pair = pair_to_compare(invoices, current)
    here: dict[str, Value] = {"number": _number(current), "date": current.created, "total": current.payable}
    if pair is None:
        return Resolution(draft=draft("change_first", **here))
    previous = pair[1]
    there: dict[str, Value] = {"previous_number": _number(previous), "previous_date": previous.created}
    if current.total.currency != previous.total.currency:
        return Resolution(draft=draft("change_currency", **here, **there, previous_total=previous.payable))
    if current.payable == previous.payable:
        return Resolution(draft=draft("change_same", **here, **there))
    intro = draft(
        "change_intro", **here, **there, previous_total=previous.payable, difference=current.payable - previous.payable
    )
    return Resolution(draft=lines([intro, *map(_change, explain_change(current, previous))]))


def _line(invoice: Invoice) -> Draft:
    rest = Draft()
    if invoice.status == "open" and invoice.remaining:
        rest = draft("invoice_remaining", remaining=invoice.remaining, due=invoice.due or invoice.created)
    said = draft(
        "invoice_line",
        number=_number(invoice),
        date=invoice.created,
        total=invoice.total,
        status=WORDS[invoice.status],
        rest=Draft(text=f" {rest.text}" if rest.text else "", facts=rest.facts),
    )
    return said.with_card(_card(invoice))


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
