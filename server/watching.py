"""Threads whose runs tell of every step, because staff watch them: each step costs a copy of the state."""

import redis.asyncio

SECONDS_WATCHED = 3600


async def watch(client: redis.asyncio.Redis, thread: str) -> None:
    """From the thread's next run on."""
    await client.set(_key(thread), "1", ex=SECONDS_WATCHED)


async def is_watched(client: redis.asyncio.Redis, thread: str) -> bool:
    return bool(await client.exists(_key(thread)))


def _key(thread: str) -> str:
    return f"watched:{{{thread}}}"
