from dataclasses import replace
from datetime import datetime, timedelta

from tests.tools.ledger.builders import PATHS, START, Clock, an_action, walk_to
from tools.ledger.digest import own_digest
from tools.ledger.ledger import Ledger
from tools.ledger.transitions import LIVE
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
    action = replace(action, target=f"ch_of_{action.id}", digest="")
    action = await ledger.propose_action(replace(action, digest=own_digest(action), created=at, updated=at))
    await walk_to(ledger, state, action)


def usd(amount: int) -> Money:
    return Money(amount, "usd")


async def test_a_customer_without_refunds_has_an_empty_history(ledger: Ledger) -> None:
    assert RefundHistory(count_last_year=0, last_day=()) == await ledger.refund_history("cus_1", now=NOW)


async def test_windows_begin_just_after_their_edge(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW - YEAR, usd(1))
    assert (await ledger.refund_history("cus_1", now=NOW)).count_last_year == 0
    await refund(ledger, clock, NOW - YEAR + MICROSECOND, usd(2))
    assert (await ledger.refund_history("cus_1", now=NOW)).count_last_year == 1
    await refund(ledger, clock, NOW - DAY, usd(4))
    assert RefundHistory(count_last_year=2, last_day=()) == await ledger.refund_history("cus_1", now=NOW)
    await refund(ledger, clock, NOW - DAY + MICROSECOND, usd(8))
    assert RefundHistory(count_last_year=3, last_day=(usd(8),), count_last_day=1) == await ledger.refund_history(
        "cus_1", now=NOW
    )


async def test_windows_end_with_now(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(16))
    await refund(ledger, clock, NOW + MICROSECOND, usd(32))
    assert RefundHistory(count_last_year=1, last_day=(usd(16),), count_last_day=1) == await ledger.refund_history(
        "cus_1", now=NOW
    )


async def test_only_refunds_of_this_customer_count_and_only_while_they_may_come_to_something(
    ledger: Ledger, clock: Clock
) -> None:
    await refund(ledger, clock, NOW, usd(100), customer="cus_2")
    await refund(ledger, clock, NOW, usd(200), kind="payment_plan")
    for place, state in enumerate(PATHS):
        await refund(ledger, clock, NOW, usd(10**place), state=state)
    counted = sorted((*LIVE, "succeeded"), key=[*PATHS].index)
    total = usd(sum(10 ** [*PATHS].index(state) for state in counted))
    expected = RefundHistory(count_last_year=6, last_day=(total,), count_last_day=6, changes_last_day=1)
    assert expected == await ledger.refund_history("cus_1", now=NOW)


async def test_the_one_that_is_weighed_does_not_count_against_itself(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(1))
    [mine] = await ledger.actions()
    assert 0 == (await ledger.refund_history("cus_1", now=NOW, besides=mine.id)).count_last_year


async def test_what_the_bank_sent_back_does_not_count(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(1))
    [mine] = await ledger.actions()
    await ledger.note_refund("re_1", action=mine.id, state="succeeded")
    assert 1 == (await ledger.refund_history("cus_1", now=NOW)).count_last_year
    await ledger.note_refund("re_1", action=mine.id, state="failed")
    assert RefundHistory(count_last_year=0, last_day=()) == await ledger.refund_history("cus_1", now=NOW)


async def test_automatic_refunds_of_all_customers_are_counted(ledger: Ledger, clock: Clock) -> None:
    for customer, state in (("cus_1", "succeeded"), ("cus_2", "executing"), ("cus_3", "confirmed")):
        await refund(ledger, clock, NOW, usd(1), customer=customer, state=state)  # type: ignore[arg-type]
    assert 2 == await ledger.automatic_refunds(after=NOW - DAY, until=NOW)
    assert 0 == await ledger.automatic_refunds(after=NOW, until=NOW + DAY)


async def test_it_is_the_success_that_counts_and_not_the_proposal(ledger: Ledger, clock: Clock) -> None:
    clock.now = NOW - YEAR - YEAR
    action = await ledger.propose_action(an_action(created=clock.now, updated=clock.now, amount=usd(9)))
    clock.now = NOW
    await walk_to(ledger, "succeeded", action)
    assert RefundHistory(count_last_year=1, last_day=(usd(9),), count_last_day=1) == await ledger.refund_history(
        "cus_1", now=NOW
    )


async def test_a_days_refunds_add_up(ledger: Ledger, clock: Clock) -> None:
    for hour in range(3):
        await refund(ledger, clock, NOW - timedelta(hours=hour), usd(10**hour))
    assert (usd(111),) == (await ledger.refund_history("cus_1", now=NOW)).last_day


async def test_a_day_in_two_currencies_has_two_sums(ledger: Ledger, clock: Clock) -> None:
    await refund(ledger, clock, NOW, usd(1))
    await refund(ledger, clock, NOW, Money(1, "eur"))
    assert (Money(1, "eur"), usd(1)) == (await ledger.refund_history("cus_1", now=NOW)).last_day
    assert (await ledger.refund_history("cus_1", now=NOW + DAY)).count_last_year == 2
