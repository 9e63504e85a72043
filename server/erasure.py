"""Erases a conversation everywhere: the ledger first, then what Redis has of it.

The thread's lease is held meanwhile, so no run is at work on it. A worker that sleeps through that writes no
checkpoint afterwards (its fencing token is too old) and no message (the ledger has no such thread), and what it may
still put into the event log is taken out when the sweep looks once more.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import redis.asyncio

from graphs.cases import place_of
from graphs.redis_saver import RedisSaver
from graphs.redis_saver.layout import Keys
from server.events import EventLog
from server.runs.lease import Lease, lease
from tools.errors import ThreadBusy
from tools.identity.challenges import forget
from tools.ledger.ledger import Ledger
from tools.ledger.types import Json

TOMBSTONE_SECONDS = 24 * 3600
"""Longer than any worker is paused for and still thinks that it holds the thread."""
RETRY_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Eraser:
    ledger: Ledger
    redis: redis.asyncio.Redis
    saver: RedisSaver
    events: EventLog

    async def erase(
        self, thread: str, *, actor: str, customers: Collection[str] | None = None, patience: float = 0
    ) -> Json:
        """Counts of the rows that went. `patience`: seconds to wait for a run that is at work on the thread.

        Raises `UnderWay` while something that was agreed to is not at its end, `ThreadBusy` while a run is at work.
        `customers` as in `Ledger.erase_thread`.
        """
        async with self._alone(thread, patience) as held:
            gone = await self.ledger.erase_thread(thread, actor=actor, customers=customers)
            await self.clear(thread)
            await self._refuse_older(thread, held)
        return gone

    async def clear(self, thread: str) -> None:
        """Checkpoints of the conversation and of its cases, its events, and what was asked to prove who is there."""
        for case in await self.ledger.cases_of(thread):
            await self.saver.adelete_thread(place_of(case))
        await self.saver.adelete_thread(thread)
        await self.events.delete(thread)
        await forget(self.redis, thread)

    async def _refuse_older(self, thread: str, held: Lease) -> None:
        await self.redis.set(Keys(self.saver.prefix, thread)["fence"], held.token, ex=TOMBSTONE_SECONDS)

    @asynccontextmanager
    async def _alone(self, thread: str, patience: float) -> AsyncIterator[Lease]:
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            async with lease(self.redis, thread) as held:
                if held is not None:
                    yield held
                    return
            if asyncio.get_running_loop().time() >= deadline:
                raise ThreadBusy
            await asyncio.sleep(RETRY_SECONDS)
