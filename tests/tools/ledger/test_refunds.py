from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.tools.ledger.builders import PATHS, START, Clock, an_action
from tools.errors import Conflict
from tools.ledger.ledger import Ledger
from tools.ledger.types import ActionState, RefundHistory
from tools.money import Money
from tools.policy.types import ActionKind

MICROSECOND = timedelta(microseconds=1)
YEAR = timedelta(days=365)
DAY = timedelta(hours=24)
NOW = START + timedelta(days=700)


async def refund(
    ledger: Ledger,
    clock: Clock,
    at: datetime,
    amount: Money,
    *,
    state: ActionState = "succeeded",
    customer: str = "cus_1",
    kind: ActionKind = "refund",
) -> None:
    clock.now = at
    action = an_action(id=f"{at}-{amount}-{state}-{customer}-{kind}", customer=customer, amount=amount, kind=kind)
    await ledger.propose_action(replace(action, created=at, updated=at))
    for step in PATHS[state]:
        await ledger.move_action(action.id, step, actor="somebody")


def usd(amount: int) -> Money:
    return Money(amount, "usd")


async def test_a_customer_without_refunds_has_an_empty_history(ledger: Ledger) -> None:
    assert RefundHistory(count_last_year=0, last_day=None) == await ledger.refund_history("cus_1", now=NOW)


async def test_windows_begin_just_after_their_edge(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW - YEAR, usd(1))
    assert (await ledger.refund_history("cus_1", now=NOW)).count_last_year == 0
    await refund(ledger, clock, NOW - YEAR + MICROSECOND, usd(2))
    assert (await ledger.refund_history("cus_1", now=NOW)).count_last_year == 1
    await refund(ledger, clock, NOW - DAY, usd(4))
    assert RefundHistory(count_last_year=2, last_day=None) == await ledger.refund_history("cus_1", now=NOW)
    await refund(ledger, clock, NOW - DAY + MICROSECOND, usd(8))
    assert RefundHistory(count_last_year=3, last_day=usd(8)) == await ledger.refund_history("cus_1", now=NOW)


async def test_windows_end_with_now(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(16))
    await refund(ledger, clock, NOW + MICROSECOND, usd(32))
    assert RefundHistory(count_last_year=1, last_day=usd(16)) == await ledger.refund_history("cus_1", now=NOW)


async def test_only_refunds_of_this_customer_that_succeeded_count(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(100), customer="cus_2")
    await refund(ledger, clock, NOW, usd(200), kind="payment_plan")
    for state in PATHS:
        await refund(ledger, clock, NOW, usd(7), state=state)
    assert RefundHistory(count_last_year=1, last_day=usd(7)) == await ledger.refund_history("cus_1", now=NOW)


async def test_it_is_the_success_that_counts_and_not_the_proposal(ledger: Ledger, clock: Clock) -> None:
    clock.now = NOW - YEAR - YEAR
    action = await ledger.propose_action(an_action(created=clock.now, updated=clock.now, amount=usd(9)))
    clock.now = NOW
    for step in PATHS["succeeded"]:
        await ledger.move_action(action.id, step, actor="somebody")
    assert RefundHistory(count_last_year=1, last_day=usd(9)) == await ledger.refund_history("cus_1", now=NOW)


async def test_a_days_refunds_add_up(ledger: Ledger, clock: Clock) -> None:
    for hour in range(3):
        await refund(ledger, clock, NOW - timedelta(hours=hour), usd(10**hour))
    assert usd(111) == (await ledger.refund_history("cus_1", now=NOW)).last_day


async def test_a_day_in_two_currencies_goes_to_a_person(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(1))
    await refund(ledger, clock, NOW, Money(1, "eur"))
    with pytest.raises(Conflict):
        await ledger.refund_history("cus_1", now=NOW)
    assert (await ledger.refund_history("cus_1", now=NOW + DAY)).count_last_year == 2
