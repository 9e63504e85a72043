"""What other rules would have said to requests of the past, in outcomes and in money. Pure: nothing is read here."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from tools.errors import Unprocessable
from tools.money import Money
from tools.policy.engine import PolicyEngine
from tools.policy.files import first_fault
from tools.policy.types import ActionKind, ActionRequest, Verdict

Standing = Literal["automatic", "one person", "two people", "denied"]
STANDINGS: tuple[Standing, ...] = ("automatic", "one person", "two people", "denied")
"""From the loosest to the strictest."""

_requests = TypeAdapter(ActionRequest)


class Recorded(Protocol):
    """A request as it was weighed at its time; the ledger's `Assessment` is one."""

    @property
    def case(self) -> str: ...
    @property
    def request(self) -> Mapping[str, Any]: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, kw_only=True)
class Replay:
    """One request under two sets of rules."""

    case: str
    at: datetime
    request: ActionRequest
    before: Verdict
    after: Verdict

    @property
    def move(self) -> tuple[Standing, Standing]:
        return standing(self.before), standing(self.after)

    @property
    def changed(self) -> bool:
        """Another rule with the same outcome changes nothing for anybody."""
        before, after = self.move
        return before != after


def replay(recorded: Recorded, old: PolicyEngine, new: PolicyEngine) -> Replay:
    """Both judge as of the time of the request. What an older release did not record yet has its default.

    Raises `Unprocessable` when the request cannot be read any more, naming the case and the field.
    """
    try:
        request = _requests.validate_python(recorded.request)
    except ValidationError as error:
        raise Unprocessable(f"The request of case {recorded.case} cannot be read: {first_fault(error)}.") from error
    before, after = (engine.evaluate(request, at=recorded.at) for engine in (old, new))
    return Replay(case=recorded.case, at=recorded.at, request=request, before=before, after=after)


def standing(verdict: Verdict) -> Standing:
    match verdict.outcome:
        case "auto":
            return "automatic"
        case "deny":
            return "denied"
        case "needs_approval":
            return "two people" if verdict.people > 1 else "one person"


@dataclass
class Sum:
    """How many, and how much in each currency."""

    count: int = 0
    amounts: dict[str, int] = field(default_factory=dict)

    def add(self, amount: Money) -> None:
        self.count += 1
        self.amounts[amount.currency] = self.amounts.get(amount.currency, 0) + amount.amount

    def merge(self, other: "Sum") -> None:
        self.count += other.count
        for currency, amount in other.amounts.items():
            self.amounts[currency] = self.amounts.get(currency, 0) + amount

    def money(self) -> list[Money]:
        """By currency; what came to nothing is left out."""
        return [Money(amount, currency) for currency, amount in sorted(self.amounts.items()) if amount]


Move = tuple[ActionKind, Standing, Standing]


@dataclass
class Comparison:
    """The sums of replays. Takes as much memory as there are kinds of change, however many requests there were."""

    moves: dict[Move, Sum] = field(default_factory=lambda: defaultdict(Sum))

    def add(self, replayed: Replay) -> None:
        self.moves[replayed.request.kind, *replayed.move].add(replayed.request.amount)

    @property
    def requests(self) -> int:
        return sum(each.count for each in self.moves.values())

    @property
    def changed(self) -> int:
        return sum(each.count for _, each in self.changes())

    def changes(self) -> Iterator[tuple[Move, Sum]]:
        """By kind, then from the loosest to the strictest."""
        for move in sorted(self.moves, key=_order):
            if move[1] != move[2]:
                yield move, self.moves[move]

    def becoming(self, wanted: Standing) -> Sum:
        """What would come to stand so that stood otherwise."""
        total = Sum()
        for (_, _, after), each in self.changes():
            if after == wanted:
                total.merge(each)
        return total


def _order(move: Move) -> tuple[str, int, int]:
    kind, before, after = move
    return kind, STANDINGS.index(before), STANDINGS.index(after)
