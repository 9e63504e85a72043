"""One writer per thread: a lock in Redis that its holder keeps alive, and loses when it stops doing so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import redis.asyncio
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

LEASE_SECONDS = 8.0


class Lease:
    """Held by one worker. `renew` raises `LeaseLost` when another has taken over.

    `token` grows with every lease of the thread. The saver refuses a checkpoint from an older one, so that a worker
    that slept through the loss of its lease cannot write over its successor.
    """

    def __init__(self, lock: Lock, token: int) -> None:
        self._lock = lock
        self.token = token

    async def renew(self) -> None:
        try:
            await self._lock.reacquire()
        except LockError as error:
            raise LeaseLost from error


class LeaseLost(Exception):
    """Somebody else may be writing to the thread: stop at once, and write nothing more."""


@asynccontextmanager
async def lease(
    client: redis.asyncio.Redis, thread: str, *, seconds: float = LEASE_SECONDS
) -> AsyncIterator[Lease | None]:
    """The lease of a thread, or None while another worker holds it."""
    lock = client.lock(f"lease:{{{thread}}}", timeout=seconds, blocking=False, thread_local=False)
    if not await lock.acquire():
        yield None
        return
    try:
        yield Lease(lock, await client.incr(f"fence:{{{thread}}}"))
    finally:
        with suppress(RedisError):
            await lock.release()
