"""Numbers of events, and what entries become, without a server."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from server.events import MOST_IN_A_MILLISECOND, START, Event, EventLog
from server.protocol.places import EPOCH, FIRST, LAST, MOST, PLACES, before, entry_of, is_later, number, time_of
from server.protocol.translation import Said, Translation
from tests.fixtures.keys import KEYS

YEAR_2059 = 2_808_000_000_000
ids = some.builds("{}-{}".format, some.integers(EPOCH, YEAR_2059), some.integers(0, MOST_IN_A_MILLISECOND - 1))
places = some.integers(0, PLACES - 1)


@given(ids, places, ids, places)
def test_numbers_are_in_the_order_of_entries_and_then_of_places(one: str, place: int, other: str, last: int) -> None:
    is_after = place > last if one == other else is_later(one, other)
    assert is_after == (number(one, place) > number(other, last))


@given(ids, places)
def test_a_number_leads_back_to_its_entry_and_is_exact_in_a_float(entry: str, place: int) -> None:
    assert entry == entry_of(number(entry, place))
    assert 0 <= int(float(number(entry, place))) == number(entry, place) < MOST
    assert entry.startswith(str(time_of(entry)))


@given(ids, ids)
def test_nothing_is_between_an_entry_and_what_is_before_it(entry: str, other: str) -> None:
    assert is_later(entry, before(entry))
    assert is_later(other, before(entry)) == (other == entry or is_later(other, entry))


def test_before_everything_is_nought() -> None:
    assert number(START, LAST) == 0
    with pytest.raises(ValueError, match="no place 128"):
        number("1795395403521-0", PLACES)


async def test_the_log_keeps_the_count_of_a_millisecond_so_small_that_it_fits(redis_url: str) -> None:
    """A clock that was set back: everything is of the last time that there was, for as long as it takes."""
    async with EventLog.open(redis_url, keys=KEYS) as log:
        ahead = f"{YEAR_2059}-{MOST_IN_A_MILLISECOND - 3}"
        sealed = KEYS.seal("{}", place="events:{t}", compress=True)
        entry = ("run", "r", "event", "values", "data", sealed, "previous", "")
        await log._redis.command("XADD", "events:{t}", ahead, *entry)
        appended = [await log.append("t", "r", [("values", "{}")]) for _ in range(70)]
        read = await log.read("t", START)
    assert appended[:3] == [f"{YEAR_2059}-62", f"{YEAR_2059}-63", f"{YEAR_2059 + 1}-0"]
    assert appended[-1] == f"{YEAR_2059 + 2}-3"
    assert [ahead, *appended] == [entry.id for entry in read]
    assert appended[:-1] == [entry.previous for entry in read[2:]]


async def test_a_run_is_found_from_any_of_its_entries(redis_url: str) -> None:
    async with EventLog.open(redis_url, keys=KEYS) as log:
        first = [await log.append("t", "r1", [(name, "{}")]) for name in ("metadata", "values", "end")]
        second = [await log.append("t", "r2", [("metadata", "{}")])]
        second += await asyncio.gather(*(log.append("t", "r2", [("values", "{}")]) for _ in range(600)))
        assert {START} == {await log.before_run("t", entry) for entry in first}
        assert {first[-1]} == {await log.before_run("t", entry) for entry in (second[0], max(second), second[300])}
        assert await log.before_run("t", "1-0") is None
        await log._redis.command("XDEL", "events:{t}", second[100])
        assert await log.before_run("t", max(second)) is None


def entry(event: str, data: Any, run: str = "r1") -> Event:
    return Event(id="1795395403521-0", run=run, event=event, data=json.dumps(data))


def chunk(name: str, text: str, node: str = "speak", **more: Any) -> Event:
    return entry(
        "messages", [{"type": "AIMessageChunk", "id": name, "content": text, **more}, {"langgraph_node": node}]
    )


def told(translation: Translation, *entries: Event) -> list[str]:
    return [_short(said) for one in entries for said in translation.of(one)]


def _short(said: Said) -> str:
    return (
        f"{said.data['id']} {said.data['event']}" if said.method == "messages" else said.data.get("event", said.method)
    )


def test_a_message_is_finished_with_its_last_chunk_its_node_or_its_run() -> None:
    translation = Translation()
    told(translation, entry("metadata", {}), chunk("a", "x"), chunk("b", "y", "other"), chunk("c", "z", "third"))
    assert told(translation, chunk("a", "", chunk_position="last")) == ["a content-block-finish", "a message-finish"]
    assert told(translation, entry("updates", {"other": {}}))[:2] == ["b content-block-finish", "b message-finish"]
    assert told(translation, chunk("b", "late")) == []
    assert told(translation, chunk("c", "z", "third")) == ["c content-block-delta"]
    assert told(translation, entry("end", {"status": "success"}))[-2:] == ["c message-finish", "completed"]


def test_a_whole_message_has_all_its_parts_at_once() -> None:
    whole = entry("messages", [{"type": "human", "id": "h", "content": "hello"}, {}])
    said = Translation().of(whole)
    assert [one.data["event"] for one in said] == [
        "message-start", "content-block-start", "content-block-delta", "content-block-finish", "message-finish",
    ]  # fmt: skip
    assert (said[0].data["role"], said[-2].data["content"]["text"]) == ("human", "hello")
    assert FIRST + len(said) < LAST


def test_a_failure_ends_what_was_begun_and_is_said_once() -> None:
    translation = Translation()
    failure = entry("error", {"error": "billing_unavailable", "message": "Billing is away."})
    assert told(translation, entry("metadata", {}), chunk("a", "x"))[0] == "running"
    assert told(translation, failure, entry("end", {"status": "error"})) == ["a error", "failed"]


@pytest.mark.parametrize(
    ("status", "phase"), [("success", "completed"), ("interrupted", "interrupted"), ("error", "failed")]
)
def test_a_run_ends_as_the_log_says(status: str, phase: str) -> None:
    assert told(Translation(), entry("metadata", {}), entry("end", {"status": status}))[-1] == phase


def test_a_run_that_was_answered_and_went_on_is_completed() -> None:
    asked = entry("updates", {"__interrupt__": [{"id": "i", "value": 1}]})
    assert told(Translation(), entry("metadata", {}), asked, entry("end", {"status": "success"}))[-1] == "completed"


def test_an_end_that_says_nothing_is_judged_by_what_was_asked() -> None:
    """Entries that an older server wrote."""
    asked = entry("updates", {"__interrupt__": [{"id": "i", "value": 1}]})
    assert told(Translation(), entry("metadata", {}), entry("end", None))[-1] == "completed"
    assert told(Translation(), entry("metadata", {}), asked, entry("end", None))[-1] == "interrupted"


def test_a_run_that_is_taken_up_again_says_its_message_anew() -> None:
    translation = Translation()
    told(translation, entry("metadata", {}), chunk("a", "half"))
    again = translation.of(entry("metadata", {})) + translation.of(chunk("a", "whole", chunk_position="last"))
    assert again[-2].data["content"]["text"] == "whole"


def test_a_node_that_returns_a_list_is_told_part_by_part() -> None:
    said = Translation().of(entry("updates", {"node": [{"a": 1}, {"b": 2}]}))
    assert [one.data for one in said] == [{"node": "node", "values": {"a": 1}}, {"node": "node", "values": {"b": 2}}]
