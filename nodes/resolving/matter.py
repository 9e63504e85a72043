"""What a resolver gets and gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nodes.drafting import Draft
from nodes.state import Asked
from tools.billing.types import BillingPicture
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
