"""The verdict of code plus versioned data on a request to act. It fails closed: silence needs a person."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, assert_never

from tools.policy import checks
from tools.policy.checks import Asked, Said
from tools.policy.rules import Cited, Rules, load_rules
from tools.policy.types import ActionRequest, Outcome, RuleTrace, Verdict

STRICTNESS: dict[Outcome, int] = {"auto": 0, "needs_approval": 1, "deny": 2}


@dataclass(frozen=True, kw_only=True)
class _Heard:
    rule: Cited
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
        heard = tuple(self._hear(Asked(request=request, at=at or self._clock())))
        trace = tuple(RuleTrace(rule=h.rule.id, outcome=h.said.outcome, because=h.said.because) for h in heard)
        decisive = _strictest(heard)
        return Verdict(
            outcome=decisive.said.outcome or "needs_approval",
            rule=decisive.rule.id,
            because=decisive.said.because,
            document=decisive.rule.document,
            anchor=decisive.rule.anchor,
            policy_version=self.version,
            trace=trace,
        )

    def _hear(self, asked: Asked) -> Iterable[_Heard]:
        match asked.request.kind:
            case "refund":
                return self._refund(asked)
            case "cancel_subscription":
                return self._cancellation()
            case "payment_plan":
                return self._plan(asked)
            case _ as unknown:
                assert_never(unknown)

    def _refund(self, asked: Asked) -> Iterable[_Heard]:
        rules = self.rules.refund
        yield _Heard(rule=rules.disputed, said=checks.disputed(rules.disputed, asked))
        yield _Heard(rule=rules.over_refundable, said=checks.over_refundable(rules.over_refundable, asked))
        yield self._ground(asked)
        yield _Heard(rule=rules.automatic_limit, said=checks.above_limit(rules.automatic_limit, asked))
        yield _Heard(rule=rules.frequency, said=checks.too_frequent(rules.frequency, asked))
        yield _Heard(rule=rules.daily_limit, said=checks.above_daily_limit(rules.daily_limit, asked))

    def _ground(self, asked: Asked) -> _Heard:
        rules = self.rules.refund
        match asked.request.ground:
            case "duplicate":
                return _Heard(rule=rules.duplicate, said=checks.our_mistake(rules.duplicate, "a duplicate"))
            case "charged_after_cancel":
                mistake = rules.charged_after_cancel
                return _Heard(rule=mistake, said=checks.our_mistake(mistake, "made after cancelling"))
            case "goodwill":
                return _Heard(rule=rules.goodwill, said=checks.goodwill(rules.goodwill))
            case "within_window" | "customer_request":
                window = rules.annual_window if asked.request.interval == "year" else rules.window
                return _Heard(rule=window, said=checks.within_window(window, asked))
            case _ as unknown:
                assert_never(unknown)

    def _cancellation(self) -> Iterable[_Heard]:
        rule = self.rules.cancel_subscription.at_period_end
        yield _Heard(rule=rule, said=checks.cancellation(rule))

    def _plan(self, asked: Asked) -> Iterable[_Heard]:
        rules = self.rules.payment_plan
        yield _Heard(rule=rules.disputed, said=checks.disputed(rules.disputed, asked))
        yield _Heard(rule=rules.instalments, said=checks.instalments(rules.instalments, asked))
        yield _Heard(rule=rules.automatic_limit, said=checks.above_limit(rules.automatic_limit, asked))


def _strictest(heard: tuple[_Heard, ...]) -> _Heard:
    return max(heard, key=lambda h: STRICTNESS[h.said.outcome] if h.said.outcome else -1)
