"""When so many refunds are made automatically that something must be wrong."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from tools.policy.rule import Strict

Positive = Annotated[int, Field(strict=True, ge=1)]


class BreakerRules(Strict):
    window_minutes: Positive
    at_least: Positive
    """Fewer than this in the window are never too many: a quiet company has a busy hour."""
    times_usual: Positive
    usual_over_days: Positive

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)

    @property
    def usual_over(self) -> timedelta:
        return timedelta(days=self.usual_over_days)


def is_anomalous(rules: BreakerRules, *, recent: int, usual: int) -> bool:
    """`recent` were made in the last window, `usual` in the `usual_over` before it."""
    if recent < rules.at_least:
        return False
    # In whole numbers: recent > times_usual * usual, each as a rate.
    return recent * rules.usual_over > rules.times_usual * usual * rules.window
