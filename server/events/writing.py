"""One run's way into the log: in order, without the run waiting for Redis at each word."""

import asyncio
from contextlib import suppress
from itertools import count

from redis.exceptions import RedisError

from graphs.redis_saver import StaleWriter
from server.events.log import EventLog

MOST_WAITING = 256


class Writer:
    """What comes while a write is under way goes into the log together with the next.

    `fence` is the token of the thread's lease, without which nothing is written once another worker has a newer one.
    """

    def __init__(self, log: EventLog, thread: str, run: str, *, fence: int) -> None:
        self._log = log
        self._thread, self._run, self._fence = thread, run, fence
        self._waiting: list[tuple[str, str]] = []
        self._writing: asyncio.Task[None] | None = None
        self._batches = count(1)

    async def put(self, event: str, data: str) -> None:
        """Raises what an earlier write met with: `redis.exceptions.RedisError` or `StaleWriter`."""
        if self._writing and self._writing.done():
            self._writing.result()
            self._writing = None
        self._waiting.append((event, data))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        if len(self._waiting) > MOST_WAITING:
            await self.flush()

    async def flush(self) -> None:
        """Returns when all is in the log. Raises as `put` does."""
        if self._writing:
            await self._writing
            self._writing = None

    async def leave(self) -> None:
        """For whoever gives the run up: what is under way is waited for, and what comes of it does not matter."""
        with suppress(RedisError, StaleWriter):
            await self.flush()
        self._writing = None

    async def _write(self) -> None:
        while batch := self._waiting:
            self._waiting = []
            name = f"{self._fence}:{next(self._batches)}"
            await self._log.append(self._thread, self._run, batch, fence=self._fence, batch=name)
