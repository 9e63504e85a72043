import pytest

from tests.tools.policy.make import asked
from tools.money import Money
from tools.policy.engine import PolicyEngine

ENGINE = PolicyEngine.load()


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def answer(amount: Money, role: str = "agent", *approved: Money, **kind: str) -> str | None:
    today = {money.currency: money for money in approved}
    return ENGINE.may_approve(amount, role=role, approved_today=today, **kind)  # type: ignore[arg-type]  # a kind


def test_a_proposal_lasts_a_day_and_an_approval_outlasts_a_long_weekend() -> None:
    assert ENGINE.proposal_lasts.total_seconds() == 24 * 3600
    assert ENGINE.approval_lasts.total_seconds() == 120 * 3600


def test_an_agent_approves_up_to_a_limit() -> None:
    assert answer(usd(50000)) is None
    assert answer(usd(50001)) == "$500.01 is above the $500.00 that you may approve. Ask a supervisor to approve this."


def test_above_it_a_supervisor_approves() -> None:
    assert answer(usd(50001), "supervisor") is None


def test_a_currency_without_a_limit_is_for_a_supervisor() -> None:
    assert answer(Money(1, "sek")) == "You have no limit for SEK. Ask a supervisor to approve this."
    assert answer(Money(1, "sek"), "supervisor") is None


def test_what_one_person_approves_in_a_day_is_bounded() -> None:
    assert answer(usd(40000), "agent", usd(160000)) is None
    assert answer(usd(40000), "agent", usd(160001)) == (
        "With this you would approve $2,000.01 in 24 hours, and $2,000.00 is the most. Ask somebody else."
    )
    assert answer(usd(40000), "agent", Money(9999999, "eur")) is None


def test_an_amount_that_no_supervisor_may_approve_is_for_an_admin() -> None:
    assert answer(usd(1000001), "supervisor") is not None
    assert answer(usd(1000001), "admin", usd(1000001)) is None


@pytest.mark.parametrize("role", ["customer", "", "Supervisor", "of"])
def test_nobody_else_approves_anything(role: str) -> None:
    assert answer(usd(1), role) == "Only agents, supervisors and admins can approve."
    assert answer(usd(1), role, kind="cancel_subscription") is not None


def test_a_mere_price_is_no_amount_to_approve() -> None:
    assert answer(usd(990000), kind="cancel_subscription") is None
    assert answer(usd(990000), kind="refund") is not None


def test_two_people_approve_large_amounts_that_we_give_away() -> None:
    assert ENGINE.people(usd(100000)) == 1
    assert ENGINE.people(usd(100001)) == 2
    assert ENGINE.people(Money(1, "sek")) == 2
    assert ENGINE.people(asked(amount=usd(100001))) == 2
    assert ENGINE.people(asked(kind="credit_note", amount=usd(100001))) == 2
    assert ENGINE.people(asked(kind="extend_due_date", amount=usd(100001))) == 1
