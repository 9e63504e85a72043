from datetime import timedelta

from tools.policy.breaker import BreakerRules, is_anomalous
from tools.policy.engine import PolicyEngine

RULES = BreakerRules(window_minutes=60, at_least=10, times_usual=3, usual_over_days=7)
A_WEEK = 7 * 24
"""As many hours: `A_WEEK` refunds in it are one in each window."""


def test_fewer_than_the_least_are_never_too_many() -> None:
    assert is_anomalous(RULES, recent=9, usual=0) is False
    assert is_anomalous(RULES, recent=10, usual=0) is True


def test_more_than_so_many_times_the_usual_are_too_many() -> None:
    assert is_anomalous(RULES, recent=15, usual=5 * A_WEEK) is False
    assert is_anomalous(RULES, recent=16, usual=5 * A_WEEK) is True


def test_rates_are_compared_exactly() -> None:
    assert is_anomalous(RULES, recent=15, usual=5 * A_WEEK - 1) is True


def test_the_engine_tells_over_which_times_to_count() -> None:
    engine = PolicyEngine.load()

    assert engine.breaker_window == timedelta(hours=1)
    assert engine.usual_over == timedelta(days=14)
    assert engine.is_anomalous(recent=19, usual=0) is False
    assert engine.is_anomalous(recent=20, usual=0) is True
    assert engine.is_anomalous(recent=20, usual=4 * 14 * 24) is False
