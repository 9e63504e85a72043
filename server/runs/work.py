"""One run, as the worker that has it carries it out: streamed into the event log, and written down at its end."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import redis.asyncio
from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_STRICT_RESUME
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.constants import START
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import StateSnapshot, StreamMode

from graphs.rebuild import mended
from graphs.redis_saver import FENCE
from nodes.context import Context
from server.events import Writer
from server.runs import marks
from server.runs.encode import dumps, encode
from server.runs.lease import Lease
from server.runs.payload import Finished, Plan, SettleFirst, Start, plan
from server.runs.transcript import lines
from server.serving_metrics import ServingMetrics
from tools.errors import CounterfoilError
from tools.ledger.ledger import Ledger
from tools.ledger.repository import utc_now
from tools.ledger.types import Run, ThreadStatus

Graph = CompiledStateGraph[Any, Any, Any, Any]
Ended = Literal["success", "error", "interrupted"]

MODES: list[StreamMode] = ["values", "updates", "messages", "custom"]
STEPS: list[StreamMode] = [*MODES, "debug"]
MOST_ATTEMPTS = 5
RECURSION_LIMIT = 60
FAILED = "Something went wrong on our side. Your message is kept; please try again."


class Cancelled(Exception):
    """Somebody asked for this run to stop."""


@dataclass(kw_only=True)
class Work:
    run: Run
    held: Lease
    graph: Graph
    redis: redis.asyncio.Redis
    ledger: Ledger
    log: Writer
    context: Context
    author: str
    metrics: ServingMetrics
    control: RunControl = field(default_factory=RunControl)
    _is_told: bool = False
    """That the ledger has the run as running."""

    async def stream(self) -> None:
        """Raises `Cancelled`, and whatever the graph, Redis and the ledger meet with."""
        begun = await marks.begin(self.redis, self.run.thread, self.run.id)
        self._count(begun.attempt)
        if begun.is_cancelled:
            await self._keep_words()
            raise Cancelled
        await self._tell("metadata", {"run_id": self.run.id, "attempt": begun.attempt})
        if begun.attempt > MOST_ATTEMPTS:
            raise CounterfoilError(FAILED)
        thread, fence, modes = self.run.thread, self.held.token, STEPS if begun.is_watched else MODES
        while not isinstance(step := await self._plan(), Finished):
            if isinstance(step, SettleFirst):
                # Not under this run's id: by that, its own input would seem to be in already.
                await self._pass_on(None, config_of(thread, fence=fence), modes)
            else:
                await self._pass_on(step.value, config_of(thread, self.run.id, fence), modes)
                break
        await self.log.flush()

    async def look_after(self) -> None:
        """Ever again while it streams. Raises `Cancelled` and `LeaseLost`."""
        if await self.held.renew(marks.cancelled(self.run.id)):
            raise Cancelled
        if not self._is_told:
            # Not sooner: most runs are over by now, and are spared a transaction.
            self._is_told = True
            await self.ledger.set_run(self.run.id, "running")

    async def finish(self, ending: Ended, failure: CounterfoilError | None) -> bool:
        """Whether the thread has more to do. Raises `NotFound` when it, or the run under way, is there no more."""
        snapshot = await self.graph.aget_state(config_of(self.run.thread, self.run.id))
        # Before `end` goes out: who reads the thread upon it must find it as it is.
        more = await self.ledger.end_run(
            self.run.id,
            ending,
            f"{failure.code}: {failure.message}" if failure else None,
            said=lines(snapshot.values.get("messages") or [], author=self.author),
            rest=_rest(ending, snapshot),
        )
        if failure:
            await self._tell("error", {"error": failure.code, "message": failure.message})
        await self._tell("end", {"status": "interrupted" if snapshot.interrupts else ending})
        await self.log.flush()
        return more

    async def _pass_on(self, value: Any, config: RunnableConfig, modes: list[StreamMode]) -> None:
        stream = self.graph.astream(
            value,
            config,
            context=self.context,
            stream_mode=modes,
            version="v2",
            durability="sync",
            control=self.control,
        )
        async with (
            self.ledger.recording(thread=self.run.thread, run=self.run.id),
            contextlib.aclosing(cast("AsyncGenerator[Any]", stream)),
        ):
            times = self.metrics.timed_nodes()
            async for part in stream:
                if part["type"] == "updates":
                    times.ended(part["data"])
                await self.log.put(*encode(part))

    async def _plan(self) -> Plan:
        config = config_of(self.run.thread, self.run.id)
        fenced = config_of(self.run.thread, fence=self.held.token)
        snapshot = await self.graph.aget_state(config)
        if await mended(self.graph, fenced, snapshot, self.ledger, self.context):
            snapshot = await self.graph.aget_state(config)
        taken_in = await _taken_in(self.graph, snapshot) if snapshot.interrupts else []
        return plan(self.run.payload, self.run.id, snapshot, taken_in)

    def _count(self, attempt: int) -> None:
        if attempt > 1:
            self.metrics.taken_up.inc()
        else:
            # A clock that was set back would have runs begin before they were written down.
            waited = (utc_now() - self.run.created).total_seconds()
            self.metrics.wait_seconds.observe(max(0.0, waited))

    async def _keep_words(self) -> None:
        """What a customer said in a run that was stopped before it began is part of their conversation all the same."""
        step = await self._plan()
        if isinstance(step, Start) and self.run.payload["type"] == "customer_message" and isinstance(step.value, dict):
            place = config_of(self.run.thread, self.run.id, self.held.token)
            await self.graph.aupdate_state(place, step.value, as_node=START)

    async def _tell(self, event: str, data: Any) -> None:
        await self.log.put(event, dumps(data))


def config_of(thread: str, run: str | None = None, fence: int | None = None) -> RunnableConfig:
    """The run's id goes into every checkpoint: it tells a restarted worker whether its input is in there.

    `fence` is the lease's token, for whoever writes.
    """
    configurable: dict[str, Any] = {"thread_id": thread, CONFIG_KEY_STRICT_RESUME: True}
    if fence is not None:
        configurable[FENCE] = fence
    config: RunnableConfig = {"configurable": configurable, "recursion_limit": RECURSION_LIMIT}
    return {**config, "metadata": {"run_id": run}} if run else config


async def _taken_in(graph: Graph, snapshot: StateSnapshot) -> list[Any]:
    """Answers stored with the checkpoint by a run that did not get past it."""
    if not isinstance(graph.checkpointer, BaseCheckpointSaver):
        return []
    kept = await graph.checkpointer.aget_tuple(snapshot.config)
    writes = (kept.pending_writes or []) if kept else []
    return [answer for _, channel, value in writes if channel == "__resume__" for answer in _listed(value)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rest(ending: str, snapshot: StateSnapshot) -> ThreadStatus:
    if snapshot.interrupts:
        return "interrupted"
    return "error" if ending == "error" else "idle"
