"""What a resolver gets and gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nodes.drafting import Draft, draft
from nodes.state import Asked
from tools.billing.types import BillingPicture, Charge
from tools.knowledge.types import Passage
from tools.policy.types import ActionRequest

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One goal of one customer, with everything that code knows about it."""

    goal: str
    picture: BillingPicture
    details: Json
    passages: tuple[Passage, ...]
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


Resolver = Callable[[Matter], Resolution]


def method_of(charge: Charge) -> Draft:
    """Where a refund of this charge goes: always the way the money came."""
    if charge.card is None:
        return draft("original_method")
    return draft("original_card", brand=charge.card.brand.title(), last4=charge.card.last4)


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
        brand=charge.card.brand.title(),
        last4=charge.card.last4,
        description=described,
    )
