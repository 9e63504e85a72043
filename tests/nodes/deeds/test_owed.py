"""What each kind of action promises, and by when."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nodes.case.deeds.table import DEEDS
from tests.nodes.deeds.rows import ROWS
from tests.tools.billing.books import Books
from tools.policy.types import ActionKind

PROMISE: dict[ActionKind, list[str]] = {
    "refund": ["refund_arrives"],
    "payment_plan": ["instalment_1", "instalment_2"],
    "extend_due_date": ["payment_due"],
    "pause_subscription": ["resumes"],
}


@pytest.mark.parametrize("kind", ROWS)
def test_nothing_is_promised_but_this(books: Books, kind: ActionKind) -> None:
    owed = DEEDS[kind].owed(ROWS[kind].wanted(books))

    assert PROMISE.get(kind, []) == [each.kind for each in owed]
    assert all(each.due.tzinfo and each.text for each in owed)


def test_a_refund_arrives_within_ten_business_days_of_being_made(books: Books) -> None:
    made = replace(ROWS["refund"].wanted(books), updated=datetime(2026, 11, 23, 12, tzinfo=UTC))

    (owed,) = DEEDS["refund"].owed(made)

    assert datetime(2026, 12, 7, 18, tzinfo=UTC) == owed.due


def test_each_instalment_is_due_on_its_day_and_says_how_much(books: Books) -> None:
    owed = DEEDS["payment_plan"].owed(ROWS["payment_plan"].wanted(books))

    assert [
        ("instalment of $400.00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("instalment of $800.00", datetime(2027, 1, 1, 9, tzinfo=UTC)),
    ] == [(each.text, each.due) for each in owed]


def test_a_later_due_date_is_over_when_its_day_is(books: Books) -> None:
    (owed,) = DEEDS["extend_due_date"].owed(ROWS["extend_due_date"].wanted(books))

    assert ("payment of $1,200.00", datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC)) == (owed.text, owed.due)


@pytest.mark.parametrize("said", ["2027-01-20", "2027-01-20T00:00:00Z", "2027-01-20T01:00:00+01:00"])
def test_a_pause_ends_at_the_moment_that_was_agreed(books: Books, said: str) -> None:
    pause = ROWS["pause_subscription"].wanted(books)

    (owed,) = DEEDS["pause_subscription"].owed(replace(pause, details=pause.details | {"resumes": said}))

    assert datetime(2027, 1, 20, tzinfo=UTC) == owed.due
