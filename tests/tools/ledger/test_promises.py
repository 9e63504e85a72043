from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.tools.ledger.builders import START, Clock, an_action, bring_to
from tools.errors import NotFound, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Promise

DUE = START + timedelta(days=10)


async def test_a_promise_is_kept_as_it_was_said(ledger: Ledger) -> None:
    made = await ledger.promise("t", "callback", "We call you by Friday.", DUE)
    expected = Promise(
        id=made.id,
        thread="t",
        action=None,
        kind="callback",
        text="We call you by Friday.",
        due=DUE,
        kept_at=None,
    )
    assert expected == made
    assert [expected] == await ledger.promises(thread="t")


async def test_the_same_words_are_the_same_promise(ledger: Ledger) -> None:
    first = await ledger.promise("t", "callback", "We call you.", DUE)
    assert first == await ledger.promise("t", "callback", "We call you.", DUE)
    others = [
        await ledger.promise("u", "callback", "We call you.", DUE),
        await ledger.promise("t", "mail", "We call you.", DUE),
        await ledger.promise("t", "callback", "We call you soon.", DUE),
        await ledger.promise("t", "callback", "We call you.", DUE + timedelta(days=1)),
    ]
    assert len({promise.id for promise in [first, *others]}) == 5


async def test_an_action_has_one_promise_of_a_kind_however_often_it_is_carried_out(ledger: Ledger) -> None:
    """A step that runs again after a crash computes a later due date; the customer was told the first."""
    action = await ledger.propose_action(an_action())
    first = await ledger.promise("t", "refund", "5–10 business days", DUE, action.id)
    again = await ledger.promise("t", "refund", "5–10 business days", DUE + timedelta(seconds=9), action.id)
    assert first == again
    other = await ledger.promise("t", "mail", "A receipt by mail", DUE, action.id)
    assert [first.id, other.id] == sorted(
        (promise.id for promise in await ledger.promises(action=action.id)), key=[first.id, other.id].index
    )


async def test_a_promise_on_an_action_needs_the_action(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.promise("t", "refund", "5–10 business days", DUE, "nobody")


async def test_overdue_is_after_due_and_not_kept(ledger: Ledger) -> None:
    late = await ledger.promise("t", "refund", "late", DUE)
    later = await ledger.promise("t", "refund", "later", DUE + timedelta(hours=1))
    assert await ledger.overdue_promises(DUE) == []
    assert [late] == await ledger.overdue_promises(DUE + timedelta(microseconds=1))
    assert [late, later] == await ledger.overdue_promises(DUE + timedelta(days=1))
    await ledger.keep_promise(late.id)
    assert [later] == await ledger.overdue_promises(DUE + timedelta(days=1))


async def test_keeping_it_again_leaves_the_first_time(ledger: Ledger, clock: Clock) -> None:
    promise = await ledger.promise("t", "refund", "x", DUE)
    kept_at = clock.forward(days=3)
    kept = await ledger.keep_promise(promise.id)
    clock.forward(days=3)
    assert kept_at == kept.kept_at
    assert kept == await ledger.keep_promise(promise.id)
    with pytest.raises(NotFound):
        await ledger.keep_promise("nobody")


async def test_times_from_anywhere_come_back_in_utc(ledger: Ledger) -> None:
    tokyo = datetime(2026, 12, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    promise = await ledger.promise("t", "refund", "x", tokyo)
    assert tokyo == promise.due
    assert (promise.due.tzinfo, promise.due.microsecond, promise.due.hour) == (UTC, 123456, 23)
    assert [promise] == await ledger.overdue_promises(tokyo + timedelta(seconds=1))


async def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    naive = datetime(2026, 12, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(Unprocessable):
        await ledger.promise("t", "refund", "x", naive)
    with pytest.raises(Unprocessable):
        await ledger.overdue_promises(naive)


async def test_ended_actions_are_found_by_what_is_still_owed_of_them_whenever_it_is_due(ledger: Ledger) -> None:
    for number, state in enumerate(("succeeded", "failed", "void", "executing", "awaiting_approval")):
        action = await bring_to(ledger, state, id=f"action-{number}")  # type: ignore[arg-type]
        await ledger.promise("t", "outcome", "how it ended", DUE + timedelta(days=number), action.id)
        await ledger.promise("t", "mail", "a receipt by mail", DUE, action.id)
    found = await ledger.promises_of_ended("outcome")
    assert ["action-0", "action-1", "action-2"] == [promise.action for promise in found]
    await ledger.keep_promise(found[0].id)
    await ledger.drop_promise(found[1].id)
    assert [found[2]] == await ledger.promises_of_ended("outcome")
