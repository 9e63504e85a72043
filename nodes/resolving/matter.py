"""What a resolver gets and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nodes.drafting import Draft
from nodes.state import Asked
from tools.billing.powers import HeldDetails, Price
from tools.billing.types import BillingPicture, Card, Invoice
from tools.knowledge.types import Passage
from tools.ledger.types import Action
from tools.money import Money
from tools.policy.types import ActionKind, ActionRequest

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
    prices: tuple[Price, ...] = ()
    """What a plan can be changed to, where that is asked for."""
    cards: Mapping[str, Card] = field(default_factory=dict)
    """Behind the payment methods that would be charged, where something is to be charged."""
    held: HeldDetails | None = None
    """What their next invoices would say, where that is to be changed."""
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


def request_on(matter: Matter, kind: ActionKind, invoice: Invoice, amount: Money, **facts: Any) -> ActionRequest:
    """The same of an invoice: as old as that is, and disputed when one of its payments is."""
    paid = (charge for charge in matter.picture.charges if charge.id in invoice.charges)
    about: Json = {"disputed": any(charge.is_contested for charge in paid), "charged_at": invoice.created, **facts}
    return request_of(matter, kind, invoice.id, amount, **about)


def request_of(matter: Matter, kind: ActionKind, target: str, amount: Money, **facts: Any) -> ActionRequest:
    """What the customer asks for where nothing is given back. `facts` are those that policy weighs besides."""
    known: Json = {"disputed": False, "charged_at": matter.now, **facts}
    return ActionRequest(
        kind=kind,
        ground="customer_request",
        customer=matter.picture.customer.id,
        target=target,
        amount=amount,
        refundable=amount,
        **known,
    )
