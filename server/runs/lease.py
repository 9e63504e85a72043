"""One writer per thread: a lock in Redis that its holder keeps alive, and loses when it stops doing so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import redis.asyncio
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

LEASE_SECONDS = 8.0


class Lease:
    """Held by one worker. `renew` raises `LeaseLost` when another has taken over."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

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
        yield Lease(lock)
    finally:
        with suppress(RedisError):
            await lock.release()
