"""What is asked of a run from outside, noted in Redis for whichever worker has it, and how often it was begun."""

from collections.abc import Sequence
from dataclasses import dataclass

import redis.asyncio

from graphs.redis_saver.wire import shared
from tools.ledger.types import Run

SECONDS_WATCHED = 3600
SECONDS_ASKED = 3600
SECONDS_COUNTED = 24 * 3600

# ARGV: seconds for which it is known how often the run was begun
_BEGIN = """
local attempt = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {attempt, redis.call('EXISTS', KEYS[2]), redis.call('EXISTS', KEYS[3])}
"""


@dataclass(frozen=True)
class Marks:
    attempt: int
    """1 for the first."""
    is_cancelled: bool
    is_watched: bool
    """Whether to tell of every step, because staff watch the thread: each step costs a copy of the state."""


async def begin(client: redis.asyncio.Redis, thread: str, run: str) -> Marks:
    """Counts one more attempt."""
    keys = [_attempts(run), cancelled(run), _watched(thread)]
    attempt, is_cancelled, is_watched = await shared(client).run(_BEGIN, keys, [SECONDS_COUNTED])
    return Marks(attempt, bool(is_cancelled), bool(is_watched))


async def attempts(client: redis.asyncio.Redis, runs: Sequence[Run]) -> list[int]:
    """How often each of them was begun, as far as it is known."""
    keys = [_attempts(run.id) for run in runs]
    return [int(found or 0) for found in (await shared(client).command("MGET", *keys) if keys else [])]


async def cancel(client: redis.asyncio.Redis, run: str) -> None:
    await client.set(cancelled(run), "1", ex=SECONDS_ASKED)


async def watch(client: redis.asyncio.Redis, thread: str) -> None:
    """From the thread's next run on."""
    await client.set(_watched(thread), "1", ex=SECONDS_WATCHED)


def cancelled(run: str) -> str:
    """The key that is there once somebody asked the run to stop. It names no thread, which may be erased before it."""
    return f"cancel:{run}"


def _attempts(run: str) -> str:
    return f"attempts:{run}"


def _watched(thread: str) -> str:
    return f"watched:{{{thread}}}"
