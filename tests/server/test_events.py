"""The event log, without HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import pytest

from server.events import START, Event, EventLog, follow_run, follow_thread, following
from tests.fixtures.keys import KEYS


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[EventLog]:
    async with EventLog.open(redis_url, keys=KEYS) as opened:
        yield opened


async def fill(log: EventLog, run: str = "r1") -> list[str]:
    names = ["metadata", "values", "updates", "end"]
    return [await log.append("t", run, [(name, "{}")]) for name in names]


async def never() -> bool:
    return False


async def always() -> bool:
    return True


def going() -> bool:
    return False


async def collected(source: AsyncIterator[Event], most: int = 100) -> list[str]:
    found = []
    async with aclosing(cast("Any", source)), asyncio.timeout(5):
        async for event in source:
            found.append(f"{event.run} {event.event}")
            if len(found) == most:
                break
    return found


async def test_a_run_is_followed_to_its_end_and_no_further(log: EventLog) -> None:
    await fill(log, "r1")
    await fill(log, "r2")
    followed = follow_run(log, "t", "r1", START, stopped=going, finished=never)
    assert await collected(followed) == ["r1 metadata", "r1 values", "r1 updates", "r1 end"]


async def test_the_last_words_of_a_run_that_is_over_in_the_ledger_are_waited_for(log: EventLog) -> None:
    """Who asked between the two was told an end that nobody wrote, and did not hear of an error."""
    await log.append("t", "r1", [("metadata", "{}")])
    followed = asyncio.create_task(collected(follow_run(log, "t", "r1", START, stopped=going, finished=always)))
    await asyncio.sleep(0.3)
    await log.append("t", "r1", [("error", "{}"), ("end", '{"status":"error"}')])
    assert ["r1 metadata", "r1 error", "r1 end"] == await followed


async def test_a_run_that_ended_before_the_place_that_is_read_from_keeps_nobody_waiting(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LAST_WORDS_SECONDS", 60)
    end = (await fill(log, "r1"))[-1]
    assert ["r1 end"] == await collected(follow_run(log, "t", "r1", end, stopped=going, finished=always))


async def test_a_thread_is_followed_over_all_its_runs(log: EventLog) -> None:
    ids = await fill(log, "r1")
    await fill(log, "r2")
    followed = follow_thread(log, "t", ids[2], stopped=going)
    assert await collected(followed, most=2) == ["r1 end", "r2 metadata"]


async def test_events_that_come_while_reading_are_passed_on(log: EventLog) -> None:
    followed = asyncio.create_task(collected(follow_run(log, "t", "r1", START, stopped=going, finished=never)))
    await asyncio.sleep(0.1)
    await fill(log)
    assert (await followed)[-1] == "r1 end"


async def test_a_reader_that_is_overtaken_by_the_trimming_is_told(redis_url: str) -> None:
    async with EventLog.open(redis_url, keep=1, keys=KEYS) as log:
        first = (await fill(log, "r1"))[0]
        for _ in range(200):
            await log.append("t", "r2", [("values", "{}")])
        followed = follow_thread(log, "t", first, stopped=going)
        assert (await collected(followed, most=1))[0].endswith("gap")


async def test_an_id_of_a_log_that_was_lost_is_a_gap(log: EventLog) -> None:
    await fill(log)
    followed = follow_thread(log, "t", "1-0", stopped=going)
    assert await collected(followed, most=2) == ["r1 gap", "r1 metadata"]


async def test_a_run_that_began_before_the_log_is_a_gap_even_from_the_start(log: EventLog) -> None:
    await log.append("t", "r1", [("values", "{}")])
    await log.append("t", "r1", [("end", "null")])
    followed = follow_run(log, "t", "r1", START, stopped=going, finished=never)
    assert await collected(followed) == ["r1 gap", "r1 values", "r1 end"]


async def test_a_run_that_is_over_without_a_word_ends(log: EventLog) -> None:
    followed = follow_run(log, "t", "r1", START, stopped=going, finished=always)
    assert await collected(followed) == ["r1 end"]


async def test_following_stops_when_told_to(log: EventLog) -> None:
    stopped = asyncio.Event()
    followed = asyncio.create_task(collected(follow_thread(log, "t", START, stopped=stopped.is_set)))
    await asyncio.sleep(0.05)
    stopped.set()
    assert await followed == []
