"""What stands on invoices, and what they are paid with."""

from datetime import timedelta
from typing import Any

from nodes.drafting import Draft, draft, lines
from nodes.wording.wording import Wording
from tools.ledger.types import Action, Receipt

LINK_LIFE = timedelta(minutes=15)
"""How long after the yes a link may be made. What Stripe makes then lives for minutes."""
LINK_WORKS = f"{LINK_LIFE.seconds // 60} minutes"
FIELDS = {"email": "Billing e-mail", "name": "Name on invoices", "address": "Address", "tax_id": "VAT or tax id"}


def written(value: Any) -> str:
    """A value of the details in one line: a tax id by its number, an address by its parts."""
    if not isinstance(value, dict):
        return str(value)
    return str(value["value"]) if "value" in value else ", ".join(str(part) for part in value.values() if part)


def _changes(action: Action) -> Draft:
    before = action.details.get("before") or {}
    return lines([_line(name, value, before.get(name)) for name, value in action.details["changes"].items()])


def _line(name: str, value: Any, before: Any) -> Draft:
    new = _value(value)
    if before:
        return draft("detail_line_instead", field=FIELDS[name], new=new, old=_value(before))
    return draft("detail_line", field=FIELDS[name], new=new)


def _value(value: Any) -> Draft:
    return draft("detail_value", value=written(value))


def _details(action: Action) -> Draft:
    said = draft("propose_details", changes=_changes(action))
    return said.line(draft("details_email")) if "email" in action.details["changes"] else said


def _updated(action: Action, receipt: Receipt) -> Draft:
    return draft("details_done", changes=_changes(action), receipt=receipt.number)


def _link(action: Action) -> tuple[dict[str, Any], ...]:
    """The address is made when the button is pressed, for its owner alone: it is in no text and no state."""
    return ({"type": "link", "action": action.id, "kind": action.kind},)


BILLING_DETAILS = Wording(
    name="change of your billing details",
    deed="update_details",
    about=lambda _: draft("about_details"),
    propose=_details,
    question=lambda _: draft("ask_details"),
    done=_updated,
)
PAYMENT_METHOD_LINK = Wording(
    name="link for another payment method",
    deed="link",
    about=lambda _: draft("about_link"),
    propose=lambda _: draft("propose_link"),
    question=lambda _: draft("ask_link"),
    done=lambda _, receipt: draft("link_done", valid=LINK_WORKS, receipt=receipt.number),
    cards=_link,
)
