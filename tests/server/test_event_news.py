"""How the log is written to while a run goes on, and how a reader hears of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio
from redis.exceptions import ConnectionError as NoConnection

from graphs.redis_saver import StaleWriter
from server.events import START, EventLog, Writer, news
from tests.fixtures.keys import KEYS

FOREVER = 60.0
"""Longer than any test: what is read within it was told of."""


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[EventLog]:
    async with EventLog.open(redis_url, keys=KEYS) as opened:
        yield opened


async def waiting(log: EventLog, thread: str = "t", after: str = START) -> "asyncio.Task[list[Any]]":
    """A reader that has looked, found nothing, and waits for word."""
    reader = asyncio.create_task(log.read(thread, after, seconds=FOREVER))
    while not any(one.waiting for one in log._news._threads.values()):  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.01)
    return reader


async def test_a_reader_hears_at_once_from_any_server(log: EventLog, redis_url: str) -> None:
    reader = await waiting(log)
    async with EventLog.open(redis_url, keys=KEYS) as other, asyncio.timeout(5):
        await other.append("t", "r", [("values", "{}")])
        assert [event.event for event in await reader] == ["values"]


async def test_a_reader_that_waits_asks_redis_for_nothing(log: EventLog, redis_url: str) -> None:
    reader = await waiting(log)
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        before = (await client.info("stats"))["total_commands_processed"]
        await asyncio.sleep(0.5)
        after = (await client.info("stats"))["total_commands_processed"]
    assert after - before <= 2  # the two looks themselves
    reader.cancel()


async def test_word_that_comes_while_a_reader_looks_is_not_lost(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    look = log._read

    async def late(thread: str, after: str) -> Any:
        found = await look(thread, after)
        if not found:
            await log.append("t", "r", [("values", "{}")])
            while not log._news._threads[b"events:{t}"].told:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        return found

    monkeypatch.setattr(log, "_read", late)
    async with asyncio.timeout(5):
        assert len(await log.read("t", START, seconds=FOREVER)) == 1


async def test_a_connection_that_breaks_sends_its_readers_to_look_for_themselves(log: EventLog) -> None:
    reader = await waiting(log)
    assert log._news._line.wire
    log._news._line.wire.close(NoConnection("cut"))
    async with asyncio.timeout(5):
        assert await reader == []
        again = await waiting(log)
        await log.append("t", "r", [("values", "{}")])
        assert len(await again) == 1


async def test_word_that_never_came_costs_time_and_nothing_else(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "LOOK_ANYWAY_SECONDS", 0.1)
    await log.read("t", START, seconds=0.01)
    monkeypatch.setattr(news.Thread, "tell", lambda *_: None)
    await log.append("t", "r", [("values", "{}")])
    await asyncio.sleep(0.2)
    assert len(await log.read("t", START, seconds=0.01)) == 1


async def test_a_thread_that_nobody_follows_any_more_is_not_listened_to(
    log: EventLog, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "SECONDS_KEPT", 0.0)
    await log.read("left", START, seconds=0.01)
    await asyncio.sleep(0.01)
    await log.read("t", START, seconds=0.01)
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.pubsub_channels() == [b"events:{t}"]


async def test_a_runs_events_are_written_in_order_and_together(log: EventLog) -> None:
    writer = Writer(log, "t", "r", fence=1)
    names = [f"n{number}" for number in range(600)]
    for name in names:
        await writer.put(name, "{}")
    await writer.flush()
    found = await log.read("t", START)
    found += await log.read("t", found[-1].id)
    assert [event.event for event in found] == names
    assert [event.previous for event in found[1:]] == [event.id for event in found[:-1]]


async def test_events_whose_answer_was_lost_are_written_once(log: EventLog) -> None:
    said = [("values", "1"), ("updates", "2")]
    first = await log.append("t", "r", said, batch="7:1")
    assert first == await log.append("t", "r", said, batch="7:1")
    await log.append("t", "r", said, batch="7:2")
    assert len(await log.read("t", START)) == 4


async def test_a_write_that_failed_is_told_to_the_run(log: EventLog) -> None:
    await log.append("t", "r", [("values", "{}")])
    newer = Writer(log, "t", "r", fence=9)
    async with redis.asyncio.Redis.from_url(log_url(log)) as client:
        await client.set("fence:{t}", 10)
    await newer.put("values", "{}")
    await asyncio.sleep(0.1)
    with pytest.raises(StaleWriter):
        await newer.put("values", "{}")
    await newer.leave()


def log_url(log: EventLog) -> str:
    place = log._news._line._pool.connection_kwargs
    return f"redis://{place['host']}:{place['port']}/{place.get('db', 0)}"
