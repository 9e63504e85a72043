import asyncio
from datetime import UTC
from typing import Any, get_args

import pytest

from tests.tools.ledger.builders import START, Clock, an_action
from tools.errors import Conflict, NotFound, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.threads import TEMPORARY
from tools.ledger.types import RunStatus, Thread


async def test_a_thread_comes_back_as_it_was_created(ledger: Ledger) -> None:
    created = await ledger.create_thread("t", "owner", {"plan": "pro", "nested": {"a": [1, "ü"]}})
    expected = Thread(
        id="t",
        owner="owner",
        status="idle",
        metadata={"plan": "pro", "nested": {"a": [1, "ü"]}},
        created=START,
        updated=START,
    )
    assert expected == created
    assert expected == await ledger.thread("t")
    assert created.created.tzinfo == UTC


async def test_creating_a_thread_again_changes_nothing(ledger: Ledger, clock: Clock) -> None:
    first = await ledger.create_thread("t", "owner", {"a": 1})
    clock.forward(hours=1)
    assert first == await ledger.create_thread("t", "owner", {"a": 2})


async def test_another_owner_is_told_that_there_is_no_such_thread(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})
    with pytest.raises(NotFound):
        await ledger.create_thread("t", "stranger", {})


async def test_of_two_owners_at_once_one_gets_the_thread(ledger: Ledger) -> None:
    asked = (ledger.create_thread("t", owner, {}) for owner in ("a", "b", "c", "d"))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Thread) for answer in answers) == 1
    assert sum(isinstance(answer, NotFound) for answer in answers) == 3


async def test_a_thread_that_is_not_there_is_none(ledger: Ledger) -> None:
    assert await ledger.thread("nobody") is None


async def test_setting_lays_metadata_over_what_is_there(ledger: Ledger, clock: Clock) -> None:
    await ledger.create_thread("t", "owner", {"a": 1, "b": 1})
    later = clock.forward(minutes=1)
    changed = await ledger.set_thread("t", status="busy", metadata={"b": 2})
    assert ("busy", {"a": 1, "b": 2}, later) == (changed.status, changed.metadata, changed.updated)
    assert (await ledger.set_thread("t", metadata={"c": 3})).status == "busy"


async def test_setting_a_thread_that_is_not_there_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.set_thread("nobody", status="busy")


async def test_metadata_set_by_many_at_once_loses_nothing(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})
    await asyncio.gather(*(ledger.set_thread("t", metadata={str(n): n}) for n in range(12)))
    thread = await ledger.thread("t")
    assert thread is not None
    assert {str(n): n for n in range(12)} == thread.metadata


async def test_search_filters_pages_and_begins_with_the_newest(ledger: Ledger, clock: Clock) -> None:
    for number in range(5):
        await ledger.create_thread(f"t{number}", "ann" if number % 2 else "bob", {"n": number})
        clock.forward(seconds=1)
    await ledger.set_thread("t4", status="error")
    assert [t.id for t in await ledger.search_threads()] == ["t4", "t3", "t2", "t1", "t0"]
    assert [t.id for t in await ledger.search_threads(limit=2, offset=1)] == ["t3", "t2"]
    assert [t.id for t in await ledger.search_threads(owner="ann")] == ["t3", "t1"]
    assert [t.id for t in await ledger.search_threads(owner="bob", status="error")] == ["t4"]
    assert await ledger.search_threads(owner="ann", status="error") == []


@pytest.mark.parametrize(
    "value", ["pro", "ünïcode ' %", 7, 2.5, True, False, None, {"x": [1, {"y": "z"}], "a": "ö"}, ["1", 1], ""]
)
async def test_search_finds_metadata_by_equality(ledger: Ledger, value: Any) -> None:
    await ledger.create_thread("yes", "owner", {"key with space": value, "other": 1})
    await ledger.create_thread("other value", "owner", {"key with space": "something else"})
    await ledger.create_thread("without", "owner", {"other": 1})
    found = await ledger.search_threads(metadata={"key with space": value})
    assert [thread.id for thread in found] == ["yes"]
    assert await ledger.search_threads(metadata={"key with space": value, "other": 2}) == []


async def test_search_tells_numbers_from_their_text_and_from_booleans(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {"n": 1})
    assert await ledger.search_threads(metadata={"n": "1"}) == []
    assert await ledger.search_threads(metadata={"n": True}) == []


@pytest.mark.parametrize("key", ['a" OR 1=1 --', "back\\slash"])
async def test_a_key_that_could_break_out_of_a_path_is_refused(ledger: Ledger, key: str) -> None:
    with pytest.raises(Unprocessable):
        await ledger.search_threads(metadata={key: 1})


@pytest.mark.parametrize("key", ["a' OR '1'='1", "a.b", "$", "0", "[0]", "*", "%s", ":x"])
async def test_odd_keys_are_keys_and_nothing_else(ledger: Ledger, key: str) -> None:
    await ledger.create_thread("t", "owner", {key: "v"})
    await ledger.create_thread("u", "owner", {"a": {"b": "v"}})
    assert [thread.id for thread in await ledger.search_threads(metadata={key: "v"})] == ["t"]


async def test_deleting_a_thread_takes_the_talk_and_leaves_the_deeds(ledger: Ledger) -> None:
    await ledger.create_thread("thread-1", "owner", {})
    await ledger.create_run("r", "thread-1", "support", {})
    await ledger.record_message("thread-1", "m", "customer", "owner", "hello")
    await ledger.bind_identity("thread-1", level=1, email="a@b.c", customer="cus_1", ttl_seconds=60)
    ticket = await ledger.open_ticket("thread-1", "asked for a person", {})
    await ledger.record_feedback("thread-1", 5, "thanks")
    action = await ledger.propose_action(an_action())
    await ledger.promise("thread-1", "refund", "5–10 business days", START, action.id)
    await ledger.delete_thread("thread-1")
    assert await ledger.thread("thread-1") is None
    assert await ledger.run("r") is None
    assert await ledger.messages("thread-1") == []
    assert (await ledger.identity("thread-1")).level == 0
    assert await ledger.ticket(ticket.id) is None
    assert await ledger.feedback() == []
    assert action == await ledger.action(action.id)
    assert len(await ledger.promises(action=action.id)) == 1


async def test_deleting_twice_is_deleting_once(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})
    await ledger.delete_thread("t")
    await ledger.delete_thread("t")
    assert await ledger.search_threads() == []


async def test_a_run_is_created_once(ledger: Ledger, clock: Clock) -> None:
    await ledger.create_thread("t", "owner", {})
    first = await ledger.create_run("r", "t", "support", {"input": "hello"})
    clock.forward(seconds=5)
    assert first == await ledger.create_run("r", "t", "support", {"input": "again"})
    assert (first.status, first.error, first.created) == ("pending", None, START)


async def test_asking_again_for_a_run_changes_nothing_of_its_thread(ledger: Ledger) -> None:
    """The run may be ending at that moment: its thread was left busy for good."""
    await ledger.create_thread("t", "owner", {})
    await ledger.create_run("r", "t", "support", {})
    await ledger.set_thread("t", status="idle")
    await ledger.create_run("r", "t", "support", {})
    thread = await ledger.thread("t")
    assert thread is not None
    assert "idle" == thread.status


async def test_a_run_id_of_another_thread_is_a_conflict(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})
    await ledger.create_thread("u", "owner", {})
    await ledger.create_run("r", "t", "support", {})
    with pytest.raises(Conflict):
        await ledger.create_run("r", "u", "support", {})


async def test_a_run_needs_its_thread(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.create_run("r", "nobody", "support", {})


async def test_runs_are_listed_newest_first_and_unfinished_ones_oldest_first(ledger: Ledger, clock: Clock) -> None:
    await ledger.create_thread("t", "owner", {})
    for number, status in enumerate(get_args(RunStatus)):
        await ledger.create_run(f"r{number}", "t", "support", {})
        await ledger.set_run(f"r{number}", status, error="boom" if status == "error" else None)
        clock.forward(seconds=1)
    assert [run.id for run in await ledger.runs("t", limit=3)] == ["r5", "r4", "r3"]
    assert [run.id for run in await ledger.runs("t", offset=3)] == ["r2", "r1", "r0"]
    await ledger.create_thread("other", "owner", {})
    await ledger.create_run("theirs", "other", "support", {})
    assert [run.id for run in await ledger.unfinished_runs()] == ["r0", "r1", "theirs"]
    assert [run.id for run in await ledger.unfinished_runs("t")] == ["r0", "r1"]
    failed = await ledger.run("r3")
    assert failed is not None
    assert (failed.status, failed.error) == ("error", "boom")


async def test_setting_a_run_that_is_not_there_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.set_run("nobody", "running")
    assert await ledger.run("nobody") is None


async def test_a_run_that_has_ended_is_not_under_way_again(ledger: Ledger) -> None:
    """A worker that slept said so when it woke up: the run was done once more, and its end told twice."""
    await ledger.create_thread("t", "owner", {})
    await ledger.create_run("r", "t", "support", {})
    await ledger.end_run("r", "success", None, said=[], rest="idle")
    with pytest.raises(NotFound):
        await ledger.set_run("r", "running")
    assert [] == await ledger.unfinished_runs()


async def test_threads_are_counted_as_they_are_searched(ledger: Ledger) -> None:
    for name, owner, metadata in (("a", "ada", {"n": 1}), ("b", "ada", {"n": 2}), ("c", "bob", {"n": 1})):
        await ledger.create_thread(name, owner, metadata)
    await ledger.set_thread("a", status="busy")
    filters: list[dict[str, Any]] = [
        {}, {"owner": "ada"}, {"status": "busy"}, {"metadata": {"n": 1}}, {"owner": "bob", "status": "busy"},
        {"ids": ["a", "c", "z"]}, {"ids": []},
    ]  # fmt: skip
    for wanted in filters:
        assert len(await ledger.search_threads(**wanted, limit=100)) == await ledger.count_threads(**wanted)
    assert [3, 2, 1, 2, 0, 2, 0] == [await ledger.count_threads(**wanted) for wanted in filters]


async def test_threads_are_found_in_the_order_that_is_asked_for(ledger: Ledger, clock: Clock) -> None:
    for name in ("b", "a", "c"):
        await ledger.create_thread(name, "owner", {})
        clock.forward(hours=1)
    await ledger.set_thread("b", metadata={"touched": True})
    orders = [await ledger.search_threads(sort_by=by, ascending=up) for by in ("id", "updated") for up in (True, False)]
    assert ["abc", "cba", "acb", "bca"] == ["".join(thread.id for thread in found) for found in orders]


async def test_temporary_threads_are_those_at_rest_that_are_marked(ledger: Ledger, clock: Clock) -> None:
    for name, metadata in (("old", {TEMPORARY: True}), ("kept", {}), ("said", {TEMPORARY: "true"})):
        await ledger.create_thread(name, "owner", metadata)
    clock.forward(hours=1)
    later = clock.now
    await ledger.create_thread("young", "owner", {TEMPORARY: True})
    await ledger.create_thread("busy", "owner", {TEMPORARY: True})
    await ledger.set_thread("busy", status="busy")
    clock.forward(hours=1)

    found = [await ledger.temporary_threads(before=before) for before in (START, later, clock.now)]
    assert [[], ["old"], ["old", "young"]] == [sorted(thread.id for thread in threads) for threads in found]
    assert ["young"] == [thread.id for thread in await ledger.temporary_threads(before=clock.now, since=later)]
