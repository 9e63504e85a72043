"""What a resolver gets and gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nodes.drafting import Draft, draft
from nodes.proposals import brand_name
from nodes.state import Asked
from tools.billing.types import BillingPicture, Charge
from tools.knowledge.types import Passage
from tools.ledger.types import Action
from tools.policy.types import ActionRequest

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One goal of one customer, with everything that code knows about it."""

    goal: str
    picture: BillingPicture
    details: Json
    passages: tuple[Passage, ...]
    actions: tuple[Action, ...] = ()
    """What this customer agreed to before, newest first, as the ledger has it."""
    now: datetime
    shown: int = 5


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Something to open a case for. `details` goes on the card, into the ledger and to the person who approves."""

    request: ActionRequest
    details: Json


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What to say, and perhaps what to propose. `asked` is the question that the words end with."""

    draft: Draft = field(default_factory=Draft)
    proposal: Proposal | None = None
    asked: Asked | None = None
    start_over: bool = False
    """What was said of it fits nothing: forget it before the next answer."""


Resolver = Callable[[Matter], Resolution]


def charge_line(charge: Charge, *, timed: bool = False) -> Draft:
    """One line; `timed` where two charges of one day are told apart."""
    described = charge.description or "no description"
    if charge.card is None:
        return draft("charge_line_plain", date=charge.created, amount=charge.amount, description=described)
    time = {"time": f"{charge.created:%H:%M} UTC"} if timed else {}
    return draft(
        "charge_line_at" if timed else "charge_line",
        **time,
        date=charge.created,
        amount=charge.amount,
        brand=brand_name(charge.card.brand),
        last4=charge.card.last4,
        description=described,
    )


def charge_choice(place: int, charge: Charge) -> Draft:
    """One line of a list to choose from."""
    invoice = draft("of_invoice", number=charge.invoice_number) if charge.invoice_number else Draft()
    if charge.card is None:
        return draft("charge_choice_plain", place=place, date=charge.created, amount=charge.amount, invoice=invoice)
    return draft(
        "charge_choice",
        place=place,
        date=charge.created,
        amount=charge.amount,
        brand=brand_name(charge.card.brand),
        last4=charge.card.last4,
        invoice=invoice,
    )
