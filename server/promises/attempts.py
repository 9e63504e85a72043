"""The attempts at an instalment: which there were, and what each of them asks for."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import uuid5

from nodes.thread import CASES
from tools.ledger.digest import own_digest
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionEvent, Promise
from tools.money import Money

GAPS = (3, 3, 4, 4)
"""Days from one attempt to the next: four more in 14 days, as `knowledge/failed-payments.md` has it."""
ATTEMPTS = len(GAPS) + 1
_GONE = frozenset({"void", "expired", "declined"})
"""States of a case that came to nothing without asking the bank: the same attempt may have another."""
_KIND = re.compile(r"instalment_(?P<place>\d+)(?:_try_(?P<attempt>\d+))?")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    plan: Action
    place: int
    """From 1."""
    number: int = 1

    @classmethod
    def of(cls, promise: Promise, plan: Action) -> Self:
        """Raises `ValueError` for a promise of something else."""
        found = _KIND.fullmatch(promise.kind)
        if found is None or int(found["place"]) > len(plan.details["schedule"]):
            raise ValueError(f"{promise.kind} is no instalment of {plan.id}")
        return cls(plan=plan, place=int(found["place"]), number=int(found["attempt"] or 1))

    @property
    def kind(self) -> str:
        """Of the promise that is due with it."""
        return f"instalment_{self.place}" + (f"_try_{self.number}" if self.number > 1 else "")

    @property
    def schedule(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = self.plan.details["schedule"]
        return parts

    @property
    def amount(self) -> Money:
        """As the customer agreed to it."""
        return Money(self.schedule[self.place - 1]["amount"], self.plan.amount.currency)

    @property
    def due(self) -> date:
        return date.fromisoformat(self.schedule[self.place - 1]["due"])

    def case_id(self, again: int = 0) -> str:
        """The same on every server. `again` counts cases that came to nothing."""
        said = f"{self.plan.id}:{self.place}:{self.number}"
        return str(uuid5(CASES, f"instalment:{said}:{again}" if again else f"instalment:{said}"))

    async def case(self, ledger: Ledger) -> Action | str:
        """Its case, or the id that its next one has."""
        again = 0
        while (found := await ledger.action(self.case_id(again))) and found.state in _GONE:
            again += 1
        return found or self.case_id(again)


async def is_planned(attempt: Attempt, amount: Money, ledger: Ledger) -> bool:
    """The customer has agreed to exactly this plan, and it has this place with this amount, or more than is left."""
    plan = attempt.plan
    events = await ledger.action_events(plan.id)
    return (
        (plan.kind, plan.state) == ("payment_plan", "succeeded")
        and _agreed(events)
        and plan.details == plan.evidence.get("terms")
        and plan.digest == own_digest(plan)
        and 0 < amount.amount <= attempt.amount.amount
        and amount.currency == attempt.amount.currency
    )


async def missed_places(plan: Action, ledger: Ledger) -> set[int]:
    """Places whose last attempt failed."""
    last = [Attempt(plan=plan, place=place, number=ATTEMPTS) for place in range(1, len(plan.details["schedule"]) + 1)]
    cases = [(one.place, await one.case(ledger)) for one in last]
    return {place for place, case in cases if isinstance(case, Action) and case.state == "failed"}


def _agreed(events: list[ActionEvent]) -> bool:
    return any((event.state, event.actor) == ("confirmed", "customer") for event in events)
