"""What holds for any request of any kind, whatever the figures in the rules."""

from collections.abc import Iterable
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.tools.policy.make import AROUND_LIMITS, KINDS, NOW, currencies, moneys, requests, strictness, sums
from tools.money import Money
from tools.policy.engine import PolicyEngine
from tools.policy.rule import STRICTNESS
from tools.policy.types import ActionKind, ActionRequest

ENGINE = PolicyEngine.load(clock=lambda: NOW)
MONEY_MOVES: tuple[ActionKind, ...] = ("refund", "credit_note", "payment_plan", "instalment", "change_subscription")
GIVEN_BACK: tuple[ActionKind, ...] = ("refund", "credit_note")
OPTIONAL = {one.name: one.default for one in fields(ActionRequest) if one.default is not MISSING}
COUNTS = ("refunds_last_year", "refunds_last_day", "changes_last_day", "plans_running")
LAW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROLES = ("customer", "agent", "supervisor", "admin")


DAYS = (0, 1, 29, 30, 31, 365, 4000)


def never_looser(requests: Iterable[ActionRequest]) -> None:
    """A whole ladder at once: a law that compares two amounts alone rarely has a limit between them."""
    levels = [strictness(ENGINE.evaluate(request)) for request in requests]
    assert sorted(levels) == levels


def ladder(currency: str, *more: int) -> list[Money]:
    """Amounts on both sides of every limit, and some between."""
    return [Money(amount, currency) for amount in sorted({*AROUND_LIMITS, *more})]


@LAW
@given(requests(), st.lists(sums, max_size=5))
def test_raising_the_amount_never_loosens_the_verdict(request: ActionRequest, more: list[int]) -> None:
    """From something: a refund of nothing is refused, and one of a cent need not be."""
    amounts = ladder(request.amount.currency, 1, *more)
    never_looser(replace(request, amount=amount) for amount in amounts if amount)


@LAW
@given(requests(), currencies, st.lists(sums, max_size=5))
def test_having_received_more_never_loosens_the_verdict(request: ActionRequest, currency: str, more: list[int]) -> None:
    earlier = [None, *ladder(currency, 0, *more)]
    never_looser(replace(request, refunded_last_day=each) for each in earlier)


@LAW
@given(requests(), st.lists(sums, max_size=5))
def test_the_less_is_left_the_stricter(request: ActionRequest, more: list[int]) -> None:
    left = reversed(ladder(request.refundable.currency, 0, request.amount.amount, *more))
    never_looser(replace(request, refundable=each) for each in left)


@pytest.mark.parametrize("count", COUNTS)
@LAW
@given(requests())
def test_having_asked_more_often_never_loosens_the_verdict(count: str, request: ActionRequest) -> None:
    never_looser(replace(request, **{count: number}) for number in range(15))  # type: ignore[arg-type]  # a field by name


@LAW
@given(requests())
def test_an_older_charge_never_loosens_the_verdict(request: ActionRequest) -> None:
    never_looser(replace(request, charged_at=NOW - timedelta(days=days)) for days in DAYS)


@pytest.mark.parametrize("fact", ["disputed", "extended_before", "by_staff"])
@LAW
@given(requests())
def test_a_fact_that_asks_for_care_never_loosens_the_verdict(fact: str, request: ActionRequest) -> None:
    never_looser(replace(request, **{fact: on}) for on in (False, True))  # type: ignore[arg-type]  # a field by name


@LAW
@given(requests())
def test_turning_the_switch_off_never_loosens_the_verdict(request: ActionRequest) -> None:
    never_looser(replace(request, automatic=automatic) for automatic in (True, False))


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
@given(requests(), st.integers(-(10**30), 10**30), st.text(max_size=4))
def test_not_even_an_absurd_amount_is_too_much_for_the_engine(
    request: ActionRequest, amount: int, currency: str
) -> None:
    absurd = Money(amount, currency)

    assert ENGINE.evaluate(replace(request, amount=absurd, refundable=absurd)).rule


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_rules_of_its_own(kind: str) -> None:
    assert hasattr(ENGINE.rules, kind)


def test_the_generated_requests_leave_no_fact_out() -> None:
    """A new fact of a request has to be generated too, else the laws say nothing about it."""
    varied: set[str] = set()

    @settings(phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
