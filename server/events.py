"""The event log of a thread: a bounded Redis Stream that any replica can follow and replay. What is in it is sealed.

Every entry names the one before it, so a reader sees for itself when entries between two that it read are gone
(trimmed, expired, or lost with Redis) and says so with a `gap` event. Races that this settles:

| what happens                                        | what the reader does                                    |
|-----------------------------------------------------|---------------------------------------------------------|
| the run ends between the last read and the check    | reads once more after the check, then ends              |
| the log is lost while a reader waits                | `gap`, or `end` once the ledger says the run is over    |
| a reader is slower than the trimming                | `gap` where the chain breaks, then what is left         |
| Last-Event-ID is from before a lost log             | the chain does not start with it: `gap`                 |
"""

import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import redis.asyncio

from tools.errors import Unprocessable
from tools.sealing.keyring import Keyring

START = "0-0"
KEEP = 5_000
SECONDS_KEPT = 2 * 24 * 3600
POLL_SECONDS = 0.5
RECHECK_SECONDS = 5.0
GAP = "Some earlier events are no longer kept. Read the state of the thread again."

MOST_IN_A_MILLISECOND = 64
"""Entries under one time, so that an id fits into a number (`protocol/places.py`). The next is of the time after."""

_APPEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local previous = last[1] and last[1][1] or ''
local time = redis.call('TIME')
local ms, count = time[1] * 1000 + math.floor(time[2] / 1000), 0
local last_ms, last_count = string.match(previous, '(%d+)-(%d+)')
if last_ms and tonumber(last_ms) >= ms then
    ms, count = tonumber(last_ms), tonumber(last_count) + 1
    if count >= tonumber(ARGV[6]) then ms, count = ms + 1, 0 end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], string.format('%.0f-%d', ms, count),
    'run', ARGV[3], 'event', ARGV[4], 'data', ARGV[5], 'previous', previous)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return id
"""

Check = Callable[[], bool]
Finished = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a run. `data` is JSON text; `previous` is the id of the entry before it, empty for the first."""

    id: str
    run: str
    event: str
    data: str
    previous: str = ""


class EventLog:
    """Fails closed: when Redis does not answer, `redis.exceptions.RedisError` goes up."""

    def __init__(self, client: redis.asyncio.Redis, *, keys: Keyring, keep: int = KEEP) -> None:
        self._redis = client
        self._keys = keys
        self._keep = keep
        self._append = client.register_script(_APPEND)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, keys: Keyring, keep: int = KEEP) -> AsyncIterator[Self]:
        """Connections of its own: a blocked reader must not hold one that somebody else needs."""
        async with redis.asyncio.Redis.from_url(url, decode_responses=True, max_connections=4096) as client:
            yield cls(client, keys=keys, keep=keep)

    async def append(self, thread: str, run: str, event: str, data: str) -> str:
        sealed = self._keys.seal(data, place=_key(thread), compress=True)
        arguments: list[str | int] = [self._keep, SECONDS_KEPT, run, event, sealed, MOST_IN_A_MILLISECOND]
        return str(await self._append(keys=[_key(thread)], args=arguments))

    async def tail(self, thread: str) -> str:
        """Id of the newest entry, `0-0` when there is none."""
        newest: Any = await self._redis.xrevrange(_key(thread), count=1)
        return str(newest[0][0]) if newest else START

    async def before_run(self, thread: str, entry_id: str) -> str | None:
        """From where the run is read that the entry is of; None when the log has not all of it up to there any more."""
        newest, expected = entry_id, entry_id
        while found := await self._back(thread, newest):
            for found_id, fields in found:
                if found_id != expected:
                    return None
                if fields["event"] == "metadata":
                    return fields["previous"] or START
                expected = fields["previous"]
            newest = f"({found[-1][0]}"
        return None

    async def _back(self, thread: str, newest: str) -> list[tuple[str, dict[str, str]]]:
        found: Any = await self._redis.xrevrange(_key(thread), max=newest, count=500)
        return [(entry_id, fields) for entry_id, fields in found]

    async def read(self, thread: str, after: str, *, seconds: float = 0) -> list[Event]:
        """Entries after `after`, waiting up to `seconds` for the first."""
        block = int(seconds * 1000) or None
        found: Any = await self._redis.xread({_key(thread): after}, count=500, block=block)
        if not found:
            return []
        # RESP3 answers with a dict, RESP2 with a list; the address in REDIS_URL decides which is spoken.
        entries = found[_key(thread)][0] if isinstance(found, dict) else found[0][1]
        return [self._opened(thread, entry_id, fields) for entry_id, fields in entries]

    def _opened(self, thread: str, entry_id: str, fields: dict[str, str]) -> Event:
        data = self._keys.open(fields["data"], place=_key(thread))
        return Event(id=entry_id, **{**fields, "data": data})

    async def delete(self, thread: str) -> None:
        await self._redis.delete(_key(thread))


def _key(thread: str) -> str:
    return f"events:{{{thread}}}"


def position(last_event_id: str | None, *, tail: str) -> str:
    """Where to start reading: after this id, from the start for `-1`, at the tail for none."""
    if last_event_id is None:
        return tail
    if last_event_id == "-1":
        return START
    if not re.fullmatch(r"\d{1,15}-\d{1,9}", last_event_id):
        raise Unprocessable("Last-Event-ID must be -1 or the id of an event of this stream.")
    return last_event_id


async def follow_thread(log: EventLog, thread: str, after: str, *, stopped: Check) -> AsyncIterator[Event]:
    """Every event of every run on the thread, until `stopped`."""
    while not stopped():
        for entry in await log.read(thread, after, seconds=POLL_SECONDS):
            if after not in (START, entry.previous):
                yield _gap(entry)
            yield entry
            after = entry.id


async def follow_run(
    log: EventLog, thread: str, run: str, after: str, *, stopped: Check, finished: Finished
) -> AsyncIterator[Event]:
    """The events of one run up to its `end`, or until `stopped`. `finished` asks the ledger."""
    wants_start = after == START
    check_at = 0.0
    is_over = False
    while not stopped():
        batch = await log.read(thread, after)
        if not batch and is_over:
            yield Event(id=after, run=run, event="end", data="null")
            return
        if not batch and time.monotonic() >= check_at:
            is_over, check_at = await finished(), time.monotonic() + RECHECK_SECONDS
            continue
        for entry in batch or await log.read(thread, after, seconds=POLL_SECONDS):
            mine = entry.run == run
            if after not in (START, entry.previous) or (wants_start and mine and entry.event != "metadata"):
                yield _gap(entry)
            wants_start = wants_start and not mine
            after = entry.id
            if mine:
                yield entry
                if entry.event == "end":
                    return


def _gap(before: Event) -> Event:
    return Event(
        id=before.previous or START,
        run=before.run,
        event="gap",
        data=json.dumps({"message": GAP}),
    )
