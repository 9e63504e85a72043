"""What stands on invoices, and what they are paid with."""

from typing import Any

from nodes.drafting import draft, sentences
from nodes.resolving.matter import Json, Matter, Proposal, Resolution, request_of
from nodes.resolving.subscribed import offer_person
from nodes.wording.account import FIELDS
from tools.money import Money
from tools.nlu.slots import find_email
from tools.nlu.tax_ids import find_tax_id
from tools.nlu.wishes import as_name

ASKS = {"email": "ask_new_email", "name": "ask_new_name", "tax_id": "ask_new_tax_id"}


def update_payment_method(matter: Matter) -> Resolution:
    """A page of the provider's, where the customer types the card in themselves."""
    customer = matter.picture.customer.id
    request = request_of(matter, "payment_method_link", customer, nothing(matter))
    return Resolution(proposal=Proposal(request=request, details={"evidence_ids": [customer]}))


def change_billing_details(matter: Matter) -> Resolution:
    """What was written out, from the next invoice on. An address, or what we keep no field for, is for a person."""
    wanted, spoken = _wanted(matter), list(matter.details.get("fields") or ())
    changes = {name: value for name, value in wanted.items() if value != _held(matter, name)}
    if changes:
        return Resolution(proposal=_proposal(matter, changes))
    if wanted:
        return Resolution(draft=sentences([draft("detail_same", field=FIELDS[name]) for name in wanted]))
    if {"address", "other"}.intersection(spoken):
        return offer_person(matter)
    asked = next((ASKS[name] for name in spoken if name in ASKS), "ask_which_detail")
    return Resolution(draft=draft(asked), asked="detail")


def _wanted(matter: Matter) -> dict[str, Any]:
    """New values by name, as far as they were written out."""
    details = matter.details
    found: Json = {"email": details.get("email"), "name": details.get("company")}
    tax_id = details.get("tax_id")
    found["tax_id"] = {"kind": tax_id[0], "value": tax_id[1]} if tax_id else None
    found = {name: value for name, value in found.items() if value}
    return found or _answered(details)


def _answered(details: Json) -> Json:
    """The whole answer to what one of them should be."""
    answer, spoken = str(details.get("answer") or ""), list(details.get("fields") or ())
    if not answer or not spoken:
        return {}
    match spoken[0]:
        case "email" if email := find_email(answer):
            return {"email": email.group().lower()}
        case "tax_id" if tax_id := find_tax_id(answer.upper()):
            return {"tax_id": {"kind": tax_id[0], "value": tax_id[1]}}
        case "name" if name := as_name(answer):
            return {"name": name}
        case _:
            return {}


def _held(matter: Matter, name: str) -> Any:
    """What the next invoices would say by now; one of several tax ids is none to replace."""
    customer, held = matter.picture.customer, matter.held
    match name:
        case "email":
            return customer.email
        case "name":
            return customer.name
        case "tax_id" if held and len(held.tax_ids) == 1:
            return {"kind": held.tax_ids[0].kind, "value": held.tax_ids[0].value}
        case _:
            return None


def _proposal(matter: Matter, changes: Json) -> Proposal:
    customer = matter.picture.customer.id
    before = {name: held for name in changes if (held := _held(matter, name)) and name != "tax_id"}
    request = request_of(matter, "change_billing_details", customer, nothing(matter))
    return Proposal(request=request, details={"changes": changes, "before": before, "evidence_ids": [customer]})


def nothing(matter: Matter) -> Money:
    """An amount of nothing, in the currency that the customer pays in."""
    picture = matter.picture
    amounts = [
        *(charge.amount for charge in picture.charges[:1]),
        *(invoice.total for invoice in picture.invoices[:1]),
        *(plan.price for plan in picture.subscriptions[:1]),
    ]
    return Money(0, amounts[0].currency if amounts else "usd")
