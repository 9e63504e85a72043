"""The verdict of code plus versioned data on a request to act. It fails closed: silence needs a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from tools.money import Money
from tools.policy import breaker
from tools.policy.rule import STRICTNESS, Asked, Rule, Said
from tools.policy.rules import Rules, load_rules
from tools.policy.types import ActionKind, ActionRequest, RuleTrace, Verdict

SILENCE = "No rule of the policy speaks about this, so a person decides."


@dataclass(frozen=True)
class _Heard:
    rule: Rule
    said: Said


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PolicyEngine:
    """Pure apart from its clock; the same request at the same time has the same verdict."""

    def __init__(self, rules: Rules, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self.rules = rules
        self._clock = clock

    @classmethod
    def load(cls, path: Path | None = None, *, clock: Callable[[], datetime] = _utc_now) -> Self:
        """Raises `ConfigurationError` when the file is missing or wrong."""
        return cls(load_rules(path), clock=clock)

    @property
    def version(self) -> str:
        return self.rules.version

    def evaluate(self, request: ActionRequest, *, at: datetime | None = None) -> Verdict:
        """The strictest outcome; among equals the rule named first. `at` replays an old request."""
        asked = Asked(request=request, at=at or self._clock())
        heard = tuple(_Heard(rule, rule.says(asked)) for rule in self.rules.of(request.kind) if rule.applies(asked))
        decisive = max(heard, key=_strictness)
        outcome = decisive.said.outcome or "needs_approval"
        return Verdict(
            outcome=outcome,
            rule=decisive.rule.id,
            because=decisive.said.because if decisive.said.outcome else SILENCE,
            document=decisive.rule.document,
            anchor=decisive.rule.anchor,
            policy_version=self.version,
            people=self.people(request) if outcome == "needs_approval" else 0,
            trace=tuple(RuleTrace(rule=h.rule.id, outcome=h.said.outcome, because=h.said.because) for h in heard),
        )

    @property
    def proposal_lasts(self) -> timedelta:
        """How long a customer may think about a proposal."""
        return self.rules.approval.proposal_lasts

    @property
    def approval_lasts(self) -> timedelta:
        """How long a confirmed action may wait for a person."""
        return self.rules.approval.approval_lasts

    def people(self, asked: ActionRequest | Money) -> int:
        """How many different people have to approve it, should it need approval: 1 or 2."""
        return self.rules.approval.people(asked)

    def may_approve(
        self, amount: Money, *, role: str, approved_today: Mapping[str, Money], kind: ActionKind | None = None
    ) -> str | None:
        """None when somebody of this role may, after what they approved in the last 24 hours; else why not.

        With a `kind` whose amount is a mere price (a cancellation, say) only the role counts.
        """
        return self.rules.approval.may_approve(amount, role=role, approved_today=approved_today, kind=kind)

    @property
    def breaker_window(self) -> timedelta:
        return self.rules.breaker.window

    @property
    def usual_over(self) -> timedelta:
        """The time before the window that says what is usual."""
        return self.rules.breaker.usual_over

    def is_anomalous(self, *, recent: int, usual: int) -> bool:
        """`recent` automatic refunds in the last window, `usual` in the `usual_over` before it."""
        return breaker.is_anomalous(self.rules.breaker, recent=recent, usual=usual)


def _strictness(heard: _Heard) -> int:
    return STRICTNESS[heard.said.outcome] if heard.said.outcome else -1
