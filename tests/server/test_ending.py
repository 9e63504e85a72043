"""Nothing waits for ever because a cancellation was lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from langgraph.graph import END, START, StateGraph
from redis.asyncio import Redis

from graphs.redis_saver import RedisSaver
from server import tasks
from server.events import EventLog
from server.metrics import Metrics
from server.runs import executor, marks
from server.runs.executor import Executor
from server.runs.payload import handover
from server.runs.work import Graph
from server.tasks import background, end
from tests.fixtures.keys import KEYS
from tests.server.conftest import new_id
from tests.server.graph import State
from tools.ledger.ledger import Ledger
from tools.ledger.types import Run


class DeafCall:
    """A call that drops the first cancellation, as those of redis-py do when their answer is there already."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.entered = asyncio.Event()
        self.lost = 0

    async def __call__(self, *_: object, **__: object) -> Any:
        self.entered.set()
        try:
            await asyncio.sleep(0.5)
        except asyncio.CancelledError:
            if self.lost:
                raise
            self.lost += 1
        return self.answer


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "INSIST_SECONDS", 0.1)
    monkeypatch.setattr(executor, "WATCH_SECONDS", 0.05)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


def one_step(step: Any, redis: Redis) -> Graph:
    graph = StateGraph(State).add_node("step", step).add_edge(START, "step").add_edge("step", END)
    return cast("Graph", graph.compile(checkpointer=RedisSaver(redis), name="support"))


async def drained(url: str, redis: Redis, ledger: Ledger, graph: Graph) -> Run:
    """A run of this graph, after an executor was at it."""
    thread, run = new_id(), new_id()
    await ledger.create_thread(thread, "somebody", {})
    await ledger.create_run(run, thread, "support", handover("asked for a person"))
    async with EventLog.open(url, keys=KEYS) as events, asyncio.timeout(8):
        working = Executor(
            redis=redis,
            ledger=ledger,
            events=events,
            metrics=Metrics(),
            graphs={"support": graph},
            context=cast("Any", None),
            author="Acme assistant",
        )
        await working.drain(thread)
    ended = await ledger.run(run)
    assert ended
    return ended


async def test_a_run_ends_with_its_graph_though_the_watching_cannot_be_cancelled(
    redis_url: str, redis: Redis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph had finished and its `end` came 93 seconds later.

    The watcher was a task. The one cancellation that it got met its call to Redis and was lost there, and so it
    watched on, over a run that was over, with everybody waiting for it.
    """
    watching = DeafCall(answer=False)
    monkeypatch.setattr(marks, "is_cancelled", first_then(marks.is_cancelled, watching))

    async def step(_: State) -> dict[str, Any]:
        await watching.entered.wait()
        return {"stage": "resolve"}

    run = await drained(redis_url, redis, ledger, one_step(step, redis))

    assert run.status == "success"


async def test_a_cancelled_run_ends_though_its_work_did_not_hear_of_it(
    redis_url: str, redis: Redis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stopped a run. It lost that in a call to Redis, and went on to the step that it was to be kept from."""
    counting = DeafCall(marks.Marks(attempt=1, is_cancelled=False, is_watched=False))
    monkeypatch.setattr(marks, "begin", counting)

    async def asked_to_stop(*_: object) -> bool:
        await counting.entered.wait()
        return True

    monkeypatch.setattr(marks, "is_cancelled", asked_to_stop)

    async def step(_: State) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    run = await drained(redis_url, redis, ledger, one_step(step, redis))

    assert (run.status, counting.lost) == ("interrupted", 1)


async def test_a_task_is_cancelled_until_it_ends() -> None:
    call = DeafCall(0)

    async def for_ever() -> None:
        while True:
            await call()

    task = asyncio.create_task(for_ever())
    await call.entered.wait()
    async with asyncio.timeout(5):
        await end(task)

    assert (task.cancelled(), call.lost) == (True, 1)


async def test_leaving_a_block_ends_what_ran_beside_it() -> None:
    call = DeafCall(0)

    async def for_ever() -> None:
        while True:
            await call()

    async def block() -> None:
        async with background(for_ever()):
            await call.entered.wait()

    left, _ = await asyncio.wait({asyncio.create_task(block())}, timeout=5)

    assert (len(left), call.lost) == (1, 1)


async def test_what_failed_beside_a_block_comes_up_when_the_block_is_left() -> None:
    async def fail() -> None:
        raise ValueError("beside")

    with pytest.raises(ValueError, match="beside"):
        async with background(fail()):
            await asyncio.sleep(0)


def first_then(first: Callable[..., Any], then: Callable[..., Any]) -> Callable[..., Any]:
    calls = iter([first])

    def call(*given: object, **more: object) -> Any:
        return next(calls, then)(*given, **more)

    return call
