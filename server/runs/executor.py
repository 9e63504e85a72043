"""Carries out the runs of a thread, one after the other, whoever is or is not listening."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import redis.asyncio
import structlog
from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_STRICT_RESUME
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import StateSnapshot, StreamMode
from redis.exceptions import RedisError

from graphs.rebuild import mended
from graphs.redis_saver import FENCE, StaleWriter
from nodes.context import Context
from server.events import EventLog
from server.metrics import Metrics
from server.runs.encode import dumps, encode
from server.runs.lease import LEASE_SECONDS, Lease, LeaseLost, lease
from server.runs.payload import Finished, Plan, SettleFirst, plan
from server.runs.transcript import record
from server.tasks import end
from server.watching import is_watched
from tools.errors import CounterfoilError, NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.types import Run

log = structlog.get_logger()

Graph = CompiledStateGraph[Any, Any, Any, Any]
Ended = Literal["success", "error", "interrupted"]
Ending = Ended | Literal["left"]
"""`left`: not ended at all, but left to the next worker."""

MODES: list[StreamMode] = ["values", "updates", "messages", "custom"]
STEPS: list[StreamMode] = [*MODES, "debug"]
MOST_ATTEMPTS = 5
WATCH_SECONDS = 0.5
GRACE_SECONDS = 0.8
RECURSION_LIMIT = 60
FAILED = "Something went wrong on our side. Your message is kept; please try again."


class Cancelled(Exception):
    """Somebody asked for this run to stop."""


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
        while not self._stopping.is_set() and await self.ledger.unfinished_runs(thread):
            async with lease(self.redis, thread, seconds=self.lease_seconds) as held:
                if held is None:
                    return
                while not self._stopping.is_set() and (waiting := await self.ledger.unfinished_runs(thread)):
                    if await self._carry_out(waiting[0], held) == "left":
                        return

    async def cancel(self, run: Run) -> None:
        """Asks whichever worker has the run to stop it."""
        await self.redis.set(f"cancel:{run.id}", "1", ex=3600)

    async def _carry_out(self, run: Run, held: Lease) -> Ending:
        started = time.monotonic()
        structlog.contextvars.bind_contextvars(run=run.id, thread=run.thread)
        try:
            ending, failure = await self._attempt(run, held)
            if ending != "left":
                await self._finish(run, ending, failure)
                self.metrics.runs.labels(ending).inc()
                self.metrics.run_seconds.observe(time.monotonic() - started)
        except (NotFound, LeaseLost):
            # The thread was deleted under the run, or belongs to another worker now: nothing of it is ours to write.
            log.warning("run.given_up")
            return "left"
        except RedisError:
            log.warning("run.put_off", exc_info=True)
            return "left"
        else:
            log.info("run.ended", ending=ending)
            return ending
        finally:
            structlog.contextvars.unbind_contextvars("run", "thread")

    async def _attempt(self, run: Run, held: Lease) -> tuple[Ending, CounterfoilError | None]:
        control = RunControl()
        try:
            await self._watched(run, held, control)
        except (Stopping, GraphDrained):
            return "left", None
        except Cancelled:
            return "interrupted", None
        except CounterfoilError as error:
            log.warning("run.failed", code=error.code, exc_info=True)
            return "error", error
        except (LeaseLost, RedisError):
            raise
        except StaleWriter as error:
            raise LeaseLost from error
        except Exception:
            self.metrics.errors.labels("run").inc()
            log.exception("run.failed")
            return "error", CounterfoilError(FAILED)
        return "success", None

    async def _watched(self, run: Run, held: Lease, control: RunControl) -> None:
        """Streams the run while the lease holds, nobody cancels it and the process goes on.

        The watching is done here and not in a task of its own, so that it is over with the work: a task would have to
        be cancelled, and a cancellation that meets a call to Redis may be lost.
        """
        work = asyncio.create_task(self._stream(run, held, control))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not await _any_done(work, stopping, within=WATCH_SECONDS):
                await self._look_after(run, held)
            if not work.done():
                control.request_drain()
                if not await _any_done(work, within=GRACE_SECONDS):
                    raise Stopping
            await work
        finally:
            await end(work, stopping)

    async def _look_after(self, run: Run, held: Lease) -> None:
        await held.renew()
        if await self.redis.exists(f"cancel:{run.id}"):
            raise Cancelled

    async def _stream(self, run: Run, held: Lease, control: RunControl) -> None:
        if await self.redis.exists(f"cancel:{run.id}"):
            raise Cancelled
        attempt = await self._count_attempt(run)
        await self.ledger.set_run(run.id, "running")
        await self._emit(run, "metadata", {"run_id": run.id, "attempt": attempt})
        if attempt > MOST_ATTEMPTS:
            raise CounterfoilError(FAILED)
        graph = self.graphs[run.assistant]
        while not isinstance(step := await self._plan(graph, run, held), Finished):
            if isinstance(step, SettleFirst):
                # Not under this run's id: by that, its own input would seem to be in already.
                await self._pass_on(graph, run, None, control, config_of(run.thread, fence=held.token))
            else:
                await self._pass_on(graph, run, step.value, control, config_of(run.thread, run.id, held.token))
                return

    async def _count_attempt(self, run: Run) -> int:
        attempts = await self.redis.incr(f"attempts:{run.id}")
        await self.redis.expire(f"attempts:{run.id}", 24 * 3600)
        return int(attempts)

    async def _pass_on(self, graph: Graph, run: Run, value: Any, control: RunControl, config: RunnableConfig) -> None:
        stream = graph.astream(
            value,
            config,
            context=self.context,
            stream_mode=STEPS if await is_watched(self.redis, run.thread) else MODES,
            version="v2",
            durability="sync",
            control=control,
        )
        async with (
            self.ledger.recording(thread=run.thread, run=run.id),
            contextlib.aclosing(cast("AsyncGenerator[Any]", stream)),
        ):
            async for part in stream:
                await self.events.append(run.thread, run.id, *encode(part))

    async def _plan(self, graph: Graph, run: Run, held: Lease) -> Plan:
        config = config_of(run.thread, run.id)
        fenced = config_of(run.thread, fence=held.token)
        snapshot = await graph.aget_state(config)
        if await mended(graph, fenced, snapshot, self.ledger, self.context):
            snapshot = await graph.aget_state(config)
        return plan(run.payload, run.id, snapshot, await _taken_in(graph, snapshot) if snapshot.interrupts else [])

    async def _finish(self, run: Run, ending: Ended, failure: CounterfoilError | None) -> None:
        snapshot = await self.graphs[run.assistant].aget_state(config_of(run.thread, run.id))
        await record(self.ledger, run, snapshot.values.get("messages") or [], author=self.author)
        said = f"{failure.code}: {failure.message}" if failure else None
        # Before `end` goes out: who reads the thread upon it must find it as it is.
        await self.ledger.set_run(run.id, ending, said)
        more = await self.ledger.unfinished_runs(run.thread)
        await self.ledger.set_thread(run.thread, status="busy" if more else _thread_status(ending, snapshot))
        if failure:
            await self._emit(run, "error", {"error": failure.code, "message": failure.message})
        await self._emit(run, "end", {"status": "interrupted" if snapshot.interrupts else ending})

    async def _emit(self, run: Run, event: str, data: Any) -> None:
        await self.events.append(run.thread, run.id, event, dumps(data))


def config_of(thread: str, run: str | None = None, fence: int | None = None) -> RunnableConfig:
    """The run's id goes into every checkpoint: it tells a restarted worker whether its input is in there.

    `fence` is the lease's token, for whoever writes.
    """
    configurable: dict[str, Any] = {"thread_id": thread, CONFIG_KEY_STRICT_RESUME: True}
    if fence is not None:
        configurable[FENCE] = fence
    config: RunnableConfig = {"configurable": configurable, "recursion_limit": RECURSION_LIMIT}
    return {**config, "metadata": {"run_id": run}} if run else config


async def _any_done(*tasks: "asyncio.Task[Any]", within: float) -> bool:
    done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def _taken_in(graph: Graph, snapshot: StateSnapshot) -> list[Any]:
    """Answers stored with the checkpoint by a run that did not get past it."""
    if not isinstance(graph.checkpointer, BaseCheckpointSaver):
        return []
    kept = await graph.checkpointer.aget_tuple(snapshot.config)
    writes = (kept.pending_writes or []) if kept else []
    return [answer for _, channel, value in writes if channel == "__resume__" for answer in _listed(value)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _thread_status(ending: str, snapshot: StateSnapshot) -> Literal["idle", "interrupted", "error"]:
    if snapshot.interrupts:
        return "interrupted"
    return "error" if ending == "error" else "idle"
