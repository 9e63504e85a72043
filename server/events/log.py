"""The event log of a thread: a bounded Redis Stream that any replica can follow and replay. What is in it is sealed.

Every entry names the one before it, so a reader sees for itself when entries between two that it read are gone
(trimmed, expired, or lost with Redis) and says so with a `gap` event. Races that this settles:

| what happens                                        | what the reader does                                    |
|-----------------------------------------------------|---------------------------------------------------------|
| the run is over in the ledger, its end not yet here | waits for it a little, then ends                        |
| the run ended before the place that is read from    | ends                                                    |
| the log is lost while a reader waits                | `gap`, or `end` once the ledger says the run is over    |
| a reader is slower than the trimming                | `gap` where the chain breaks, then what is left         |
| Last-Event-ID is from before a lost log             | the chain does not start with it: `gap`                 |
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import redis.asyncio
from redis.exceptions import ResponseError

from graphs.redis_saver import StaleWriter
from graphs.redis_saver.wire import Scripts
from server.events.event import START, Event
from server.events.news import News
from server.runs.lease import fence_of
from tools.sealing.keyring import Keyring

KEEP = 5_000
SECONDS_KEPT = 2 * 24 * 3600
PATIENCE_SECONDS = 10
READ_AT_ONCE = 500

MOST_IN_A_MILLISECOND = 64
"""Entries under one time, so that an id fits into a number (`protocol/places.py`). The next is of the time after."""

# KEYS: log, fence of the thread's lease. ARGV: entries kept, seconds kept, most in a millisecond, token of the lease
# or "", name of the batch or "", run, then pairs of event and data. A batch whose answer was lost is known again.
_APPEND = """
local token = tonumber(ARGV[4])
if token and token < tonumber(redis.call('GET', KEYS[2]) or '0') then return redis.error_reply('STALEWRITER') end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local previous = last and last[1] or ''
if last and ARGV[5] ~= '' and last[2][#last[2] - 1] == 'batch' and last[2][#last[2]] == ARGV[5] then return previous end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 7, #ARGV, 2 do
    local ms, count = now, 0
    local last_ms, last_count = string.match(previous, '(%d+)-(%d+)')
    if last_ms and tonumber(last_ms) >= ms then
        ms, count = tonumber(last_ms), tonumber(last_count) + 1
        if count >= tonumber(ARGV[3]) then ms, count = ms + 1, 0 end
    end
    local entry = {'run', ARGV[6], 'event', ARGV[i], 'data', ARGV[i + 1], 'previous', previous}
    if i + 1 == #ARGV then entry[9], entry[10] = 'batch', ARGV[5] end
    local id = string.format('%.0f-%d', ms, count)
    previous = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, unpack(entry))
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', KEYS[1], previous)
return previous
"""


class EventLog:
    """Fails closed: when Redis does not answer, `redis.exceptions.RedisError` goes up."""

    def __init__(self, client: redis.asyncio.Redis, news: News, *, keys: Keyring, keep: int = KEEP) -> None:
        self._redis = Scripts(client)
        self._news = news
        self._keys = keys
        self._keep = keep

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, keys: Keyring, keep: int = KEEP) -> AsyncIterator[Self]:
        """Two connections of its own: one to ask on, and one to listen."""
        connect = redis.asyncio.Redis.from_url
        async with (
            connect(url, socket_timeout=PATIENCE_SECONDS) as client,
            connect(url, socket_timeout=PATIENCE_SECONDS, protocol=3) as listener,
        ):
            news = News(listener)
            try:
                yield cls(client, news, keys=keys, keep=keep)
            finally:
                await news.aclose()

    async def append(
        self,
        thread: str,
        run: str,
        events: Sequence[tuple[str, str]],
        *,
        fence: int | None = None,
        batch: str = "",
    ) -> str:
        """Names and data of events, all or none of them. Returns the id of the last.

        `batch` names them, so that they are written once when Redis is asked twice. Raises `StaleWriter` when the
        thread has been leased anew since `fence` was given out.
        """
        key = _key(thread)
        sealed = [self._keys.seal(data, place=key, compress=True) for _, data in events]
        said = [part for (name, _), data in zip(events, sealed, strict=True) for part in (name, data)]
        token = "" if fence is None else fence
        settings = [self._keep, SECONDS_KEPT, MOST_IN_A_MILLISECOND, token, batch, run]
        try:
            found = await self._redis.run(_APPEND, [key, fence_of(thread)], [*settings, *said])
        except ResponseError as error:
            if str(error).startswith("STALEWRITER"):
                raise StaleWriter(f"A writer with a higher token has taken thread {thread} over.") from error
            raise
        return str(found.decode())

    async def tail(self, thread: str) -> str:
        """Id of the newest entry, `0-0` when there is none."""
        newest = await self._redis.command("XREVRANGE", _key(thread), "+", "-", "COUNT", 1)
        return str(newest[0][0].decode()) if newest else START

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

    async def has_end(self, thread: str, run: str) -> bool:
        """Whether the run's end is among the newest entries."""
        newest = await self._back(thread, "+")
        return any((fields["run"], fields["event"]) == (run, "end") for _, fields in newest)

    async def _back(self, thread: str, newest: str) -> list[tuple[str, dict[str, str]]]:
        found = await self._redis.command("XREVRANGE", _key(thread), newest, "-", "COUNT", READ_AT_ONCE)
        return [_entry(one) for one in found]

    async def read(self, thread: str, after: str, *, seconds: float = 0) -> list[Event]:
        """Entries after `after`, waiting up to `seconds` for the first."""
        if not seconds:
            return await self._read(thread, after)
        news = await self._news.of(_key(thread))
        told = news.told
        if news.may_have(after):
            if found := await self._read(thread, after):
                return found
            news.saw_nothing(after)
        if news.told == told:
            await news.wait(seconds)
        return await self._read(thread, after) if news.may_have(after) else []

    async def _read(self, thread: str, after: str) -> list[Event]:
        found = await self._redis.command("XRANGE", _key(thread), f"({after}", "+", "COUNT", READ_AT_ONCE)
        return [self._opened(thread, *_entry(one)) for one in found]

    def _opened(self, thread: str, entry_id: str, fields: dict[str, str]) -> Event:
        data = self._keys.open(fields["data"], place=_key(thread))
        return Event(id=entry_id, run=fields["run"], event=fields["event"], data=data, previous=fields["previous"])

    async def delete(self, thread: str) -> None:
        await self._redis.command("DEL", _key(thread))


def _entry(found: list[Any]) -> tuple[str, dict[str, str]]:
    entry_id, fields = found
    names = (name.decode() for name in fields[::2])
    return entry_id.decode(), {name: value.decode() for name, value in zip(names, fields[1::2], strict=True)}


def _key(thread: str) -> str:
    return f"events:{{{thread}}}"
