"""One charge in one line: when, how much, what for, and what became of it."""

from nodes.drafting import Draft, Value, draft, lines
from nodes.wording.parts import brand_name
from tools.billing.analysis import ChargeState, explain_charge, name_of
from tools.billing.types import BillingPicture, Charge, Invoice

LONGEST = 60
"""Letters of a name that somebody else wrote: a list of charges must stay one."""
BECAME: dict[ChargeState, str] = {
    "failed": "declined, no money taken",
    "refunded": "went back to you",
    "partly_refunded": "went back to you in part",
    "disputed": "questioned at your bank",
    "pending": "still under way",
    "authorised": "only reserved",
    "released": "only reserved, and let go",
}
"""What is not here goes without saying."""


def latest_charges(picture: BillingPicture, charges: list[Charge]) -> Draft:
    return lines([draft("charges_intro"), *(charge_line(charge, picture) for charge in charges)])


def charge_line(charge: Charge, picture: BillingPicture, *, timed: bool = False) -> Draft:
    """One line; `timed` where two charges of one day are told apart."""
    told: dict[str, Value | Draft] = {
        "date": charge.created,
        "amount": charge.amount,
        "purpose": what_for(charge, picture),
    }
    if timed and charge.card:
        return draft("charge_line_at", **told, **_card(charge), time=f"{charge.created:%H:%M} UTC")
    became = _became(charge, picture)
    state = draft("charge_became", what=became) if became else Draft()
    return draft("charge_line" if charge.card else "charge_line_plain", **told, **_card(charge), state=state)


def _became(charge: Charge, picture: BillingPicture) -> str | None:
    if any(refund.charge == charge.id and refund.status == "pending" for refund in picture.refunds):
        return "on its way back to you"
    return BECAME.get(explain_charge(picture, charge).state)


def charge_choice(place: int, charge: Charge, picture: BillingPicture) -> Draft:
    """One line of a list to choose from."""
    return draft(
        "charge_choice" if charge.card else "charge_choice_plain",
        place=place,
        date=charge.created,
        amount=charge.amount,
        purpose=what_for(charge, picture),
        **_card(charge),
    )


def what_for(charge: Charge, picture: BillingPicture) -> Draft:
    """The goods on its invoice: the description of a charge only says that there is one."""
    invoice = next((each for each in picture.invoices if each.id == charge.invoice), None)
    if invoice and (what := _goods(invoice)):
        return draft("of_invoice", what=what, number=invoice.number or "(draft)")
    if charge.invoice_number:
        return draft("of_unseen_invoice", number=charge.invoice_number)
    return draft("without_invoice", description=_short(charge.description or "no description"))


def _goods(invoice: Invoice) -> str:
    """The first of its names, plain lines before prorated ones."""
    names = list(dict.fromkeys(map(name_of, sorted(invoice.lines, key=lambda line: line.proration))))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{_short(names[0])}{more}" if names else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _card(charge: Charge) -> dict[str, str]:
    return {"brand": brand_name(charge.card.brand), "last4": charge.card.last4} if charge.card else {}
