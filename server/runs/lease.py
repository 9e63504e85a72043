"""One writer per thread: a key in Redis that its holder keeps alive, and loses when it stops doing so."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import redis.asyncio
from redis.exceptions import RedisError

from graphs.redis_saver.wire import shared

LEASE_SECONDS = 6.0

# ARGV: name of the holder, milliseconds. Who asks again because the answer was lost has it already.
_TAKE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return redis.call('GET', KEYS[1]) == ARGV[1] and tonumber(redis.call('GET', KEYS[2]) or '1')
end
return redis.call('INCR', KEYS[2])
"""
# Returns whether the second key is there, or nil when the lease is another's.
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('EXISTS', KEYS[2])
"""
_LET_GO = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1])"


class Lease:
    """Held by one worker. `renew` raises `LeaseLost` when another has taken over.

    `token` grows with every lease of the thread. The saver refuses a checkpoint from an older one, and the event log an
    event, so that a worker that slept through the loss of its lease cannot write over its successor.
    """

    def __init__(self, client: redis.asyncio.Redis, thread: str, holder: str, token: int, milliseconds: int) -> None:
        self.token = token
        self._redis, self._thread = shared(client), thread
        self._holder, self._milliseconds = holder, milliseconds

    async def renew(self, asked: str) -> bool:
        """Whether there is a key of this name, by which something is asked of the holder."""
        found = await self._redis.run(_RENEW, [_key(self._thread), asked], [self._holder, self._milliseconds])
        if found is None:
            raise LeaseLost
        return bool(found)

    async def let_go(self) -> None:
        await self._redis.run(_LET_GO, [_key(self._thread)], [self._holder])


class LeaseLost(Exception):
    """Somebody else may be writing to the thread: stop at once, and write nothing more."""


@asynccontextmanager
async def lease(
    client: redis.asyncio.Redis, thread: str, *, seconds: float = LEASE_SECONDS
) -> AsyncIterator[Lease | None]:
    """The lease of a thread, or None while another worker holds it."""
    holder, milliseconds = uuid4().hex, int(seconds * 1000)
    keys = [_key(thread), fence_of(thread)]
    token = await shared(client).run(_TAKE, keys, [holder, milliseconds])
    if token is None:
        yield None
        return
    held = Lease(client, thread, holder, token, milliseconds)
    try:
        yield held
    finally:
        with suppress(RedisError):
            await held.let_go()


async def unheld(client: redis.asyncio.Redis, threads: Sequence[str]) -> list[str]:
    """Of these threads those that nobody has the lease of."""
    holders = await shared(client).command("MGET", *map(_key, threads)) if threads else []
    return [thread for thread, holder in zip(threads, holders, strict=True) if holder is None]


def fence_of(thread: str) -> str:
    """The key that holds the newest token."""
    return f"fence:{{{thread}}}"


def _key(thread: str) -> str:
    return f"lease:{{{thread}}}"
