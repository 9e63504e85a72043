from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.billing.analysis import instalments
from tools.errors import Unprocessable
from tools.money import Money

START = date(2026, 12, 1)


def test_three_parts_of_a_thousand_dollars() -> None:
    assert instalments(Money(100000, "usd"), 3, START) == (
        (date(2026, 12, 1), Money(33333, "usd")),
        (date(2026, 12, 31), Money(33333, "usd")),
        (date(2027, 1, 30), Money(33334, "usd")),
    )


def test_every_fortnight() -> None:
    assert [due for due, _ in instalments(Money(1000, "usd"), 2, START, every_days=14)] == [
        START,
        START + timedelta(days=14),
    ]


def test_dinars_end_in_zero() -> None:
    """Stripe refuses three-decimal amounts whose last digit is not zero."""
    parts = [amount.amount for _, amount in instalments(Money(100000, "kwd"), 3, START)]

    assert parts == [33330, 33330, 33340]


def test_crowns_of_iceland_are_whole() -> None:
    assert [part.amount for _, part in instalments(Money(100000, "isk"), 3, START)] == [33300, 33300, 33400]


@pytest.mark.parametrize(("amount", "parts"), [(100, 0), (100, -1), (2, 3), (0, 2), (-100, 2)])
def test_what_cannot_be_split_is_refused(amount: int, parts: int) -> None:
    with pytest.raises(Unprocessable):
        instalments(Money(amount, "usd"), parts, START)


@given(
    st.integers(1000, 10**8),
    st.integers(1, 12),
    st.sampled_from(["usd", "jpy", "kwd", "isk"]),
    st.integers(1, 60),
)
def test_the_sum_is_exact_and_no_part_is_empty(amount: int, parts: int, currency: str, every_days: int) -> None:
    remaining = Money(amount // 100 * 100 + 1200, currency)

    plan = instalments(remaining, parts, START, every_days)

    assert parts == len(plan)
    assert remaining.amount == sum(part.amount for _, part in plan)
    assert all(part.amount > 0 for _, part in plan)
    assert plan == tuple(sorted(plan, key=lambda entry: entry[0]))
