"""What holds for any request of any kind, whatever the figures in the rules."""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.tools.policy.make import AROUND_LIMITS, KINDS, NOW, ORDINARY, moneys, requests, strictness, sums
from tools.money import Money
from tools.policy.engine import PolicyEngine
from tools.policy.rule import STRICTNESS
from tools.policy.types import ActionKind, ActionRequest

ENGINE = PolicyEngine.load(clock=lambda: NOW)
MONEY_MOVES: tuple[ActionKind, ...] = ("refund", "credit_note", "payment_plan", "instalment", "change_subscription")
GIVEN_BACK: tuple[ActionKind, ...] = ("refund", "credit_note")
OPTIONAL = {one.name: one.default for one in fields(ActionRequest) if one.default is not MISSING}
LAW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROLES = ("customer", "agent", "supervisor", "admin")


Law = Callable[[ActionRequest], Iterable[ActionRequest]]
DAYS = (0, 1, 29, 30, 31, 365, 4000)


def ladder(currency: str, *more: int) -> list[Money]:
    """Amounts on both sides of every limit. Two at a time would rarely have a limit between them."""
    return [Money(amount, currency) for amount in sorted({*AROUND_LIMITS, *more})]


def raised(request: ActionRequest) -> Iterable[ActionRequest]:
    """From a cent: a refund of nothing is refused, and one of a cent need not be."""
    amounts = ladder(request.amount.currency, 1, abs(request.amount.amount))
    return [replace(request, amount=amount) for amount in amounts if amount]


def received(request: ActionRequest) -> Iterable[ActionRequest]:
    earlier = [None, *ladder(request.amount.currency, 0)]
    return [replace(request, refunded_last_day=each) for each in earlier]


def less_left(request: ActionRequest) -> Iterable[ActionRequest]:
    left = ladder(request.refundable.currency, 0, request.amount.amount)
    return [replace(request, refundable=each) for each in reversed(left)]


def older(request: ActionRequest) -> Iterable[ActionRequest]:
    return [replace(request, charged_at=NOW - timedelta(days=days)) for days in DAYS]


def with_each(fact: str, values: Iterable[Any]) -> Law:
    return lambda request: [replace(request, **{fact: value}) for value in values]


STRICTER: dict[str, Law] = {
    "a higher amount": raised,
    "more received in the last day": received,
    "less that is left": less_left,
    "an older charge": older,
    "more refunds last year": with_each("refunds_last_year", range(15)),
    "more refunds in the last day": with_each("refunds_last_day", range(15)),
    "more changes in the last day": with_each("changes_last_day", range(15)),
    "more plans that run": with_each("plans_running", range(15)),
    "a dispute": with_each("disputed", (False, True)),
    "a date that was moved before": with_each("extended_before", (False, True)),
    "a colleague's proposal": with_each("by_staff", (False, True)),
    "the switch turned off": with_each("automatic", (True, False)),
}
"""What must never loosen a verdict, neither its outcome nor how many people it needs: requests in rising order."""


def never_looser(requests: Iterable[ActionRequest]) -> None:
    levels = [strictness(ENGINE.evaluate(request)) for request in requests]
    assert sorted(levels) == levels


@pytest.mark.parametrize("change", STRICTER)
def test_no_ordinary_request_of_any_kind_is_treated_more_loosely_for(change: str) -> None:
    for request in ORDINARY:
        never_looser(STRICTER[change](request))


@pytest.mark.parametrize("change", STRICTER)
@LAW
@given(requests())
def test_no_request_whatsoever_is_treated_more_loosely_for(change: str, request: ActionRequest) -> None:
    never_looser(STRICTER[change](request))


@LAW
@given(requests())
def test_with_the_switch_off_nothing_is_automatic_and_nothing_else_changes(request: ActionRequest) -> None:
    on, off = (ENGINE.evaluate(replace(request, automatic=automatic)) for automatic in (True, False))

    if on.outcome == "auto":
        assert ("needs_approval", "automatic.stopped") == (off.outcome, off.rule)
    else:
        assert (on.outcome, on.rule, on.people) == (off.outcome, off.rule, off.people)


@LAW
@given(requests(), st.sampled_from(MONEY_MOVES))
def test_no_money_moves_because_one_colleague_wants_it(request: ActionRequest, kind: ActionKind) -> None:
    assert ENGINE.evaluate(replace(request, kind=kind, by_staff=True)).outcome != "auto"


@LAW
@given(requests(), st.sampled_from(GIVEN_BACK))
def test_more_than_what_is_left_is_never_given_back(request: ActionRequest, kind: ActionKind) -> None:
    too_much = replace(request, kind=kind, refundable=request.amount - Money(1, request.amount.currency))

    assert ENGINE.evaluate(too_much).outcome == "deny"


@LAW
@given(requests())
def test_a_currency_without_limits_is_never_automatic(request: ActionRequest) -> None:
    amount = Money(request.amount.amount, "sek")

    assert "sek" not in ENGINE.rules.refund.automatic_limit.limits
    assert ENGINE.evaluate(replace(request, kind="refund", amount=amount, refundable=amount)).outcome != "auto"


@LAW
@given(requests(), st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)))  # noqa: DTZ001 - bounds are naive
def test_every_request_has_a_verdict_and_its_trace_names_the_deciding_rule(
    request: ActionRequest, at: datetime
) -> None:
    verdict = ENGINE.evaluate(request, at=at)

    (deciding,) = [trace for trace in verdict.trace if trace.rule == verdict.rule]
    assert (verdict.outcome, verdict.because) == (deciding.outcome, deciding.because)
    assert STRICTNESS[verdict.outcome] == max(STRICTNESS[trace.outcome] for trace in verdict.trace if trace.outcome)
    assert (verdict.people > 0) == (verdict.outcome == "needs_approval")


@LAW
@given(requests(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=4))
def test_not_even_an_absurd_amount_is_too_much_for_the_engine(
    request: ActionRequest, amount: int, currency: str
) -> None:
    """Whatever the ledger can hold."""
    absurd = Money(amount, currency)

    assert ENGINE.evaluate(replace(request, amount=absurd, refundable=absurd)).rule


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_rules_of_its_own(kind: str) -> None:
    assert hasattr(ENGINE.rules, kind)


def test_the_generated_requests_leave_no_fact_out() -> None:
    """A new fact of a request has to be generated too, else the laws say nothing about it."""
    varied: set[str] = set()

    @settings(
        max_examples=300,
        derandomize=True,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(requests())
    def collect(request: ActionRequest) -> None:
        varied.update(name for name, default in OPTIONAL.items() if getattr(request, name) != default)

    collect()
    assert OPTIONAL.keys() == varied


@LAW
@given(moneys, sums, sums, st.integers(0, 10**7), st.sampled_from(ROLES))
def test_whoever_may_not_approve_an_amount_may_not_approve_more(
    amount: Money, today: int, more_today: int, more: int, role: str
) -> None:
    approved = Money(today, amount.currency)
    raised = amount + Money(more, amount.currency)

    if refused(amount, role, approved):
        assert refused(raised, role, approved)
        assert refused(amount, role, approved + Money(more_today, amount.currency))


@LAW
@given(moneys, st.none() | sums)
def test_a_higher_role_may_approve_whatever_a_lower_one_may(amount: Money, today: int | None) -> None:
    approved = None if today is None else Money(today, amount.currency)
    may = [not refused(amount, role, approved) for role in ROLES]

    assert sorted(may) == may


@LAW
@given(moneys, moneys)
def test_what_was_approved_in_another_currency_is_counted_apart(amount: Money, other: Money) -> None:
    assume(amount.currency != other.currency)
    assert refused(amount, "agent", None) == refused(amount, "agent", other)


def refused(amount: Money, role: str, approved: Money | None) -> str | None:
    today = {approved.currency: approved} if approved else {}
    return ENGINE.may_approve(amount, role=role, approved_today=today)


@LAW
@given(st.integers(0, 10**5), st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**6))
def test_more_in_the_window_and_fewer_as_usual_are_never_less_anomalous(
    recent: int, usual: int, more: int, fewer: int
) -> None:
    if ENGINE.is_anomalous(recent=recent, usual=usual):
        assert ENGINE.is_anomalous(recent=recent + more, usual=max(0, usual - fewer))
