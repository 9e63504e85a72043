"""Hands runs to workers through docket, on the Redis that is there anyway, and takes up what was left behind.

A task says no more than "this thread has work". Its key is the run, so that telling it twice counts once; whoever
gets it first does all of the thread's work, and the other tasks find nothing to do.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Self
from uuid import UUID, uuid5

import structlog
from docket import Docket, Worker
from langchain_core.utils.uuid import uuid7

from server.runs import marks
from server.runs.executor import Executor
from server.runs.lease import unheld
from server.runs.payload import Json
from server.tasks import background, outcome
from tools.errors import RateLimited, ThreadBusy
from tools.ledger.ledger import Ledger
from tools.ledger.types import Run

log = structlog.get_logger()

Strategy = Literal["enqueue", "reject", "interrupt"]
ASSISTANT = "support"
CONCURRENCY = 1_000
MOST_WAITING = 20
SWEEP_SECONDS = 3.0
AGAIN_SECONDS = 30
RUNS = UUID("8a3f5f0e-0c7d-4a53-9f0b-5c1d3c2f7e64")


@dataclass(kw_only=True)
class RunQueue:
    ledger: Ledger
    executor: Executor
    docket: Docket
    _stopping: bool = False

    @classmethod
    @asynccontextmanager
    async def open(cls, *, url: str, ledger: Ledger, executor: Executor, works: bool = True) -> AsyncIterator[Self]:
        """With a worker in this process, unless others do the work.

        On leaving, runs under way stop at their next step and go on at another worker, or wait for the next one.
        """
        async with AsyncExitStack() as stack:
            docket = await stack.enter_async_context(
                Docket(name="counterfoil", url=url, execution_ttl=timedelta(minutes=1))
            )
            queue = cls(ledger=ledger, executor=executor, docket=docket)
            docket.register(queue.drain_thread, names=["drain_thread"])
            if works:
                await stack.enter_async_context(working(docket))
                stack.callback(queue.stop)
                await stack.enter_async_context(background(queue.sweep()))
            yield queue

    def stop(self) -> None:
        self._stopping = True
        self.executor.stop()

    async def drain_thread(self, thread: str) -> None:
        """Does what the thread has to do. Who stops before that tells the others, and leaves none of it to a sweep."""
        await self.executor.drain(thread)
        if self._stopping and await self.ledger.unfinished_runs(thread):
            await self._tell(thread, key=f"{thread}:{uuid7()}")

    async def make_room(self, thread: str, *, strategy: Strategy = "enqueue") -> None:
        """Refuses what a customer has to wait with, or stops what they wait for: its words stay, and are answered next.

        What the server itself has to say always finds room.
        """
        waiting = await self.ledger.unfinished_runs(thread)
        if waiting and strategy == "reject":
            raise ThreadBusy
        if len(waiting) >= MOST_WAITING:
            raise RateLimited("Many messages are waiting for an answer here. Please wait a moment.", retry_after=5)
        if strategy == "interrupt":
            for run in waiting:
                await self.executor.cancel(run)

    async def submit(self, thread: str, payload: Json, *, run_id: str | None = None) -> Run:
        """Writes the run down, then tells the workers. Under the same `run_id` it is one run, however often."""
        run = await self.ledger.create_run(run_id or str(uuid7()), thread, ASSISTANT, payload)
        if not run.is_over:
            await self._tell(thread, key=run.id)
        return run

    async def _tell(self, thread: str, *, key: str) -> None:
        await self.docket.add("drain_thread", key=key)(thread)

    async def _tell_again(self, waiting: Sequence[Run]) -> None:
        """A dead worker's task may still be on record under its key, so every attempt has another key.

        Who waits for a free worker has a task already: it gets one more in half a minute, and not one from each sweep
        of each worker, which would take from the workers what they have too little of.
        """
        redis, next_runs = self.executor.redis, _firsts(waiting)
        left = [next_runs[thread] for thread in await unheld(redis, list(next_runs))]
        for run, attempts in zip(left, await marks.attempts(redis, left), strict=True):
            await self._tell(run.thread, key=f"{run.id}:{attempts}:{int(time.time() // AGAIN_SECONDS)}")

    async def sweep(self) -> None:
        """Tells the workers, at the start and ever again, of runs that nobody is at work on.

        Their worker was killed, or Redis forgot.
        """
        while True:
            try:
                await self._tell_again(await self.ledger.unfinished_runs())
            except Exception:
                log.warning("sweep.failed", exc_info=True)
            await asyncio.sleep(SWEEP_SECONDS)


def _firsts(waiting: Sequence[Run]) -> dict[str, Run]:
    """Of each thread the run that comes next."""
    return {run.thread: run for run in reversed(waiting)}


def named_run(*said: str) -> str:
    """The id of a run that is to say this, and to say it once."""
    return str(uuid5(RUNS, ":".join(said)))


@asynccontextmanager
async def working(docket: Docket, *, concurrency: int = CONCURRENCY) -> AsyncIterator[None]:
    """A worker beside the block. On leaving, it finishes what it has."""
    async with Worker(docket, concurrency=concurrency, redelivery_timeout=timedelta(seconds=10)) as worker:
        task = asyncio.create_task(worker.run_forever())
        try:
            yield
        finally:
            # Once, to wake it from its reading; again would cut its runs off. If it is lost, the worker still stops:
            # leaving its context tells it to, and waits.
            task.cancel()
    await outcome(task)
