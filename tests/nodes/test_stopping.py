"""Plans that are to end, to go on after all, or to rest: proposed where it is possible, told as it stands elsewhere."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from nodes.resolving.matter import Matter, Proposal, Resolution
from nodes.resolving.stopping import cancel_subscription, months_on, pause_subscription, undo_cancel
from tests.tools.billing.make import NOW, picture, subscription
from tools.billing.types import Subscription
from tools.knowledge.types import Passage

END = NOW + timedelta(days=30)
STORAGE = {"id": "sub_2", "plan": "Storage"}


def matter(*plans: Subscription, **details: Any) -> Matter:
    return Matter(goal="x", picture=picture(subscriptions=plans), details=details, passages=(), now=NOW)


def proposed(resolution: Resolution) -> Proposal:
    assert resolution.proposal is not None, resolution.draft.text
    return resolution.proposal


def test_a_pause_begins_after_the_paid_time_and_is_over_before_the_renewal_that_is_paid_again() -> None:
    found = proposed(pause_subscription(matter(subscription(), months=2)))

    assert (found.request.kind, found.request.pause_months, found.request.interval) == (
        "pause_subscription",
        2,
        "month",
    )
    assert found.details["start"] == END.isoformat()
    renewal = months_on(END, 2)
    assert renewal - timedelta(days=1) < datetime.fromisoformat(found.details["resumes"]) < renewal


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-10-15", 1, "2026-11-15"),
    ],
)
def test_months_are_those_of_the_calendar(start: str, months: int, end: str) -> None:
    assert months_on(datetime.fromisoformat(start), months).date().isoformat() == end


def test_how_long_is_asked_when_it_was_not_said() -> None:
    asked = pause_subscription(matter(subscription()))

    assert (asked.asked, asked.proposal) == ("detail", None)
    assert "one, two or three" in asked.draft.text


@pytest.mark.parametrize(("answer", "months"), [("2", 2), ("three.", 3), ("zwei", 2)])
def test_the_whole_answer_may_be_a_number(answer: str, months: int) -> None:
    assert proposed(pause_subscription(matter(subscription(), answer=answer))).request.pause_months == months


@pytest.mark.parametrize("answer", ["a while", "", "100", "49.00"])
def test_no_other_answer_is_taken_for_one(answer: str) -> None:
    assert pause_subscription(matter(subscription(), answer=answer)).asked == "detail"


def test_of_an_annual_plan_policy_speaks_itself() -> None:
    found = proposed(pause_subscription(matter(subscription(interval="year"))))

    assert found.request.interval == "year"


@pytest.mark.parametrize(
    ("changes", "told", "asked"),
    [
        ({"paused": True, "resumes_at": END}, "is paused, and starts again by itself on December 23, 2026", None),
        ({"paused": True}, "is paused, until you want it", None),
        ({"cancel_at_period_end": True}, "already set to end on December 23, 2026", None),
        ({"status": "trialing", "trial_end": END}, "free trial until December 23, 2026", None),
        ({"status": "past_due"}, "overdue", "handover"),
        ({"interval_count": 3}, "paid per 3 months", "handover"),
    ],
)
def test_what_cannot_be_paused_is_told_as_it_stands(changes: dict[str, Any], told: str, asked: str | None) -> None:
    found = pause_subscription(matter(subscription(**changes), months=1))

    assert (found.proposal, found.asked) == (None, asked)
    assert told in found.draft.text


def test_a_planned_end_is_taken_back() -> None:
    found = proposed(undo_cancel(matter(subscription(cancel_at_period_end=True))))

    assert (found.request.kind, found.request.target) == ("undo_cancel", "sub_1")
    assert found.details["end"] == END.isoformat()


def test_an_end_on_a_day_is_told_by_that_day() -> None:
    found = proposed(undo_cancel(matter(subscription(cancel_at=NOW))))

    assert found.details["end"] == NOW.isoformat()


def test_to_reactivate_a_paused_plan_ends_the_pause() -> None:
    found = proposed(undo_cancel(matter(subscription(paused=True, resumes_at=END))))

    assert found.request.kind == "resume_subscription"
    assert found.details["next_at"] == END.isoformat()


def test_what_runs_on_needs_no_undoing() -> None:
    found = undo_cancel(matter(subscription()))

    assert found.proposal is None
    assert "neither cancelled nor paused, and renews on December 23, 2026" in found.draft.text


def test_what_has_ended_stays_ended_and_policy_says_how_to_come_back() -> None:
    passage = Passage(
        document="cancellation",
        version="4",
        title="Cancelling",
        section="Undoing",
        anchor="undoing-a-cancellation",
        text="You can subscribe again.",
        score=1.0,
        locale="en",
    )
    seen = matter(subscription(status="canceled", ended_at=NOW))
    found = undo_cancel(Matter(goal="x", picture=seen.picture, details={}, passages=(passage,), now=NOW))

    assert found.proposal is None
    assert "ended on November 23, 2026" in found.draft.text
    assert "You can subscribe again." in found.draft.text


@pytest.mark.parametrize("resolve", [cancel_subscription, undo_cancel, pause_subscription])
def test_without_a_plan_nothing_is_proposed(resolve: Any) -> None:
    assert "no active subscription" in resolve(matter()).draft.text


def test_of_several_the_one_that_is_named_is_meant() -> None:
    plans = (subscription(), subscription(**STORAGE))

    assert proposed(cancel_subscription(matter(*plans, said="cancel my storage plan"))).request.target == "sub_2"
    assert (
        proposed(pause_subscription(matter(*plans, said="pause Team for a month", months=1))).request.target == "sub_1"
    )


@pytest.mark.parametrize("said", ["pause it", "pause Team and Storage", "pause my teams"])
def test_of_several_that_could_be_meant_none_is_picked(said: str) -> None:
    found = pause_subscription(matter(subscription(), subscription(**STORAGE), said=said, months=1))

    assert (found.proposal, found.asked) == (None, "handover")
    assert "with the name of the one that you mean" in found.draft.text


def test_of_two_that_are_alike_a_person_makes_sure() -> None:
    found = cancel_subscription(matter(subscription(), subscription(id="sub_2"), said="cancel Team"))

    assert (found.proposal, found.asked) == (None, "handover")
    assert "These are alike" in found.draft.text
