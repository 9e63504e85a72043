"""Carries out the runs of a thread, one after the other, whoever is or is not listening."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import redis.asyncio
import structlog
from langgraph.errors import GraphDrained
from redis.exceptions import RedisError

from graphs.redis_saver import StaleWriter
from nodes.context import Context
from server.events import EventLog, Writer
from server.metrics import Metrics
from server.runs import marks
from server.runs.lease import LEASE_SECONDS, Lease, LeaseLost, lease
from server.runs.work import FAILED, Cancelled, Ended, Graph, Work
from server.tasks import end
from tools.errors import CounterfoilError, LedgerUnavailable, NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.types import Run

log = structlog.get_logger()

Ending = Ended | Literal["left"]
"""`left`: not ended at all, but left to the next worker."""

WATCH_SECONDS = 0.5
GRACE_SECONDS = 0.8


class Stopping(Exception):
    """This process is being stopped; the run goes on elsewhere or later."""


@dataclass(kw_only=True)
class Executor:
    redis: redis.asyncio.Redis
    ledger: Ledger
    events: EventLog
    metrics: Metrics
    graphs: Mapping[str, Graph]
    context: Context
    author: str
    lease_seconds: float = LEASE_SECONDS
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Start nothing more. What is under way ends at its next step, or is cut off after a grace."""
        self._stopping.set()

    async def drain(self, thread: str) -> None:
        """Carries out the thread's unfinished runs in order of creation.

        Returns at once when another worker holds the thread. None is lost by that: the run was written down before
        this was called, and a holder looks for more work once again after it has let go.
        """
        while not self._stopping.is_set():
            async with lease(self.redis, thread, seconds=self.lease_seconds) as held:
                if held is None:
                    return
                more = True
                while more and not self._stopping.is_set() and (run := await self._next(thread)):
                    ending, more = await self._carry_out(run, held)
                    if ending == "left":
                        return
            if not await self._next(thread):
                return

    async def _next(self, thread: str) -> Run | None:
        return next(iter(await self.ledger.unfinished_runs(thread)), None)

    async def cancel(self, run: Run) -> None:
        """Asks whichever worker has the run to stop it."""
        await marks.cancel(self.redis, run.id)

    async def _carry_out(self, run: Run, held: Lease) -> tuple[Ending, bool]:
        """How it ended, and whether the thread has more to do."""
        started = time.monotonic()
        structlog.contextvars.bind_contextvars(run=run.id, thread=run.thread)
        work = self._work(run, held)
        try:
            ending, failure = await self._attempt(work)
            if ending == "left":
                return "left", True
            more = await work.finish(ending, failure)
            self.metrics.serving.runs.labels(ending).inc()
            self.metrics.serving.run_seconds.observe(time.monotonic() - started)
        except (NotFound, LeaseLost, StaleWriter) as error:
            self.metrics.serving.given_up.labels("deleted" if isinstance(error, NotFound) else "lease").inc()
            # The thread was deleted under the run, or belongs to another worker now: nothing of it is ours to write.
            log.warning("run.given_up")
            return "left", True
        except (RedisError, LedgerUnavailable) as error:
            self.metrics.serving.given_up.labels("redis" if isinstance(error, RedisError) else "ledger").inc()
            log.warning("run.put_off", exc_info=True)
            return "left", True
        else:
            log.info("run.ended", ending=ending)
            return ending, more
        finally:
            await work.log.leave()
            structlog.contextvars.unbind_contextvars("run", "thread")

    def _work(self, run: Run, held: Lease) -> Work:
        return Work(
            run=run,
            held=held,
            graph=self.graphs[run.assistant],
            redis=self.redis,
            ledger=self.ledger,
            log=Writer(self.events, run.thread, run.id, fence=held.token),
            context=self.context,
            author=self.author,
            metrics=self.metrics.serving,
        )

    async def _attempt(self, work: Work) -> tuple[Ending, CounterfoilError | None]:
        try:
            await self._watched(work)
        except (Stopping, GraphDrained):
            return "left", None
        except Cancelled:
            return "interrupted", None
        except (LeaseLost, StaleWriter, RedisError, LedgerUnavailable):
            raise
        except CounterfoilError as error:
            log.warning("run.failed", code=error.code, exc_info=True)
            return "error", error
        except Exception:
            self.metrics.errors.labels("run").inc()
            log.exception("run.failed")
            return "error", CounterfoilError(FAILED)
        return "success", None

    async def _watched(self, work: Work) -> None:
        """Streams the run while the lease holds, nobody cancels it and the process goes on.

        The watching is done here and not in a task of its own, so that it is over with the work: a task would have to
        be cancelled, and a cancellation that meets a call to Redis may be lost.
        """
        streaming = asyncio.create_task(work.stream())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not await _any_done(streaming, stopping, within=WATCH_SECONDS):
                await work.look_after()
            if not streaming.done():
                work.control.request_drain()
                if not await _any_done(streaming, within=GRACE_SECONDS):
                    raise Stopping
            await streaming
        finally:
            await end(streaming, stopping)


async def _any_done(*tasks: "asyncio.Task[Any]", within: float) -> bool:
    done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)
