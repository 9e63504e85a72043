"""A table of cases in YAML: what is asked, and what the policy must answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from tools.money import Money
from tools.policy.engine import PolicyEngine
from tools.policy.files import read
from tools.policy.types import ActionKind, ActionRequest, Ground, Outcome, Verdict

PACKAGED = Path(__file__).with_name("cases.yaml")
ASKED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)

Price = Annotated[str, StringConstraints(pattern=r"^-?\d+ [a-z]{3}$")]


class Case(BaseModel):
    """One row. Amounts are written `4900 usd`, in minor units; what is left out is the most ordinary."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: ActionKind
    ground: Ground = "customer_request"
    amount: Price
    refundable: Price | None = None
    disputed: bool = False
    days_ago: float = 1
    interval: Literal["day", "week", "month", "year"] | None = "month"
    refunds_last_year: int = 0
    refunded_last_day: Price | None = None
    refunds_last_day: int = 0
    changes_last_day: int = 0
    instalments: int | None = None
    pause_months: int | None = None
    extension_days: int | None = None
    extended_before: bool = False
    plans_running: int = 0
    upgrade: bool | None = None
    planned: bool = False
    by_staff: bool = False
    automatic: bool = True
    outcome: Outcome
    rule: str
    people: int | None = None
    """None: whatever the policy says."""

    def request(self) -> ActionRequest:
        amount = _money(self.amount)
        asked = self.model_dump(exclude={"name", "days_ago", "outcome", "rule", "people"})
        priced = {
            "amount": amount,
            "refundable": _money(self.refundable) if self.refundable else amount,
            "refunded_last_day": _money(self.refunded_last_day) if self.refunded_last_day else None,
        }
        charged_at = ASKED_AT - timedelta(days=self.days_ago)
        return ActionRequest(**(asked | priced), customer="cus_case", target="target_case", charged_at=charged_at)


Table = Annotated[tuple[Case, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """A case whose verdict is not the one that its row names."""

    case: Case
    verdict: Verdict

    @classmethod
    def of(cls, engine: PolicyEngine, case: Case) -> Self | None:
        verdict = engine.evaluate(case.request(), at=ASKED_AT)
        people = verdict.people if case.people is None else case.people
        expected = (case.outcome, case.rule, people)
        return None if expected == (verdict.outcome, verdict.rule, verdict.people) else cls(case=case, verdict=verdict)


def load_cases(path: Path | None = None) -> tuple[Case, ...]:
    """Raises `ConfigurationError` naming the row and field that does not fit."""
    return read(path or PACKAGED, "The table of policy cases", TypeAdapter(Table))


def surprises(engine: PolicyEngine, cases: Iterable[Case]) -> tuple[Surprise, ...]:
    found = (Surprise.of(engine, case) for case in cases)
    return tuple(surprise for surprise in found if surprise)


def _money(text: str) -> Money:
    amount, currency = text.split()
    return Money(int(amount), currency)
