"""What every kind of action can say of itself. A new kind is one of these, and a row in `table.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tools.billing.powers import MoneyMover
from tools.billing.types import BillingReader
from tools.ledger.types import Action

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Owed:
    """Something that the customer is told will happen by a time."""

    kind: str
    """One of each kind for an action: `refund_arrives`, `resumes`, `instalment_2`."""
    text: str
    due: datetime


class Deed(Protocol):
    """Stateless. Errors are those of `BillingReader` and `MoneyMover`."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        """The facts at Stripe that the proposal rests on, as flat JSON for the digest: few, and all that matter.

        What changes by itself without mattering (a balance, a date of update) is left out. Raises `NotFound`.
        """
        ...

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        """Does it, under this idempotency key: the Stripe id of what was made or changed."""
        ...

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        """Stripe's id of the deed when it is there; None when it is not, for certain."""
        ...

    async def begun(self, billing: BillingReader, action: Action) -> bool:
        """Whether a part of it is there, of several requests: then it is finished, though its own evidence changed."""
        ...

    def owed(self, action: Action) -> list[Owed]:
        """What it promises. `action.updated` is when it succeeded."""
        ...


class InOneRequest:
    """It is there, or it is not."""

    async def begun(self, billing: BillingReader, action: Action) -> bool:
        return False


def idempotency_key(action: Action) -> str:
    return f"counterfoil:{action.kind}:{action.id}"
