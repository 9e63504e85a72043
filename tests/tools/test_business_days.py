"""Business days, by the calendar of December 2026: the 1st is a Tuesday."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tools.business_days import after_business_days, one_business_day_after, opening


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "due"),
    [
        pytest.param(at(1, 10), at(2, 10), id="a Tuesday morning"),
        pytest.param(at(1, 10, 20), at(2, 11), id="up to the full hour"),
        pytest.param(at(1, 17, 59), at(2, 18), id="right before the close"),
        pytest.param(at(1, 18), at(3, 9), id="after the close"),
        pytest.param(at(1, 3), at(2, 9), id="before anybody is here"),
        pytest.param(at(4, 15), at(7, 15), id="a Friday afternoon"),
        pytest.param(at(4, 20), at(8, 9), id="a Friday night"),
        pytest.param(at(5, 12), at(8, 9), id="a Saturday"),
        pytest.param(at(6, 23), at(8, 9), id="a Sunday"),
    ],
)
def test_an_answer_within_one_business_day(said: datetime, due: datetime) -> None:
    assert due == one_business_day_after(said)


@pytest.mark.parametrize(
    ("made", "due"),
    [
        pytest.param(at(1, 23, 59), at(15, 18), id="a Tuesday"),
        pytest.param(at(4, 9), at(18, 18), id="a Friday"),
        pytest.param(at(5), at(18, 18), id="a Saturday counts from Monday"),
        pytest.param(at(6), at(18, 18), id="and so does a Sunday"),
    ],
)
def test_ten_business_days_leave_out_both_weekends(made: datetime, due: datetime) -> None:
    assert due == after_business_days(made, 10)


def test_a_day_is_counted_in_utc_wherever_it_was_said() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert at(2, 18) == after_business_days(datetime(2026, 12, 2, 3, 0, tzinfo=tokyo), 1)


def test_the_team_opens_at_nine() -> None:
    assert at(7, 9) == opening(at(7).date())
