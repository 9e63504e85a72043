"""Runs of a thread: start, follow, wait for, look up, cancel. A run goes on whoever listens."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from sse_starlette import EventSourceResponse

from server.auth import Caller, Principal, Rule, guards
from server.events import Check, Event, position
from server.present import failure_of, run_json
from server.schemas import NewRun
from server.services import Services, ServicesDep
from server.sse import STREAMED, Place, respond, waiting
from server.streams import in_modes, run_events, thread_events
from server.threads import (
    CurrentSender,
    OwnRun,
    OwnThread,
    Sender,
    ask,
    channels_for,
    final_values,
    find_thread,
    open_thread,
    uuid_of,
)
from tools.errors import NotFound, Unavailable
from tools.ledger.types import Run, Thread

Json = dict[str, Any]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)]
Modes = Annotated[list[str], Query(alias="stream_mode", description="Any of `values`, `updates`, `messages`, ...")]
router = APIRouter(prefix="/threads/{thread_id}", tags=["runs"])

ALL_MODES = frozenset({"values", "updates", "messages-tuple", "custom"})


@guards(Rule.OWNER)
async def thread_to_run(
    thread_id: Annotated[str, Path()], body: NewRun, caller: Caller, services: ServicesDep
) -> Thread:
    """The caller's own; for a customer who says so, a new one."""
    if body.if_not_exists == "create" and not caller.is_staff:
        return await open_thread(services, caller, UUID(uuid_of(thread_id)))
    return await find_thread(services.ledger, caller, thread_id)


ThreadToRun = Annotated[Thread, Depends(thread_to_run)]


@router.post("/runs")
async def create_run(
    thread: ThreadToRun, body: NewRun, by: CurrentSender, services: ServicesDep, response: Response
) -> Json:
    run, _ = await _start(services, by, thread, body)
    response.headers.update(_where(run, "stream"))
    return run_json(run)


@router.post("/runs/stream", **STREAMED, dependencies=[Place])
async def stream_run(
    thread: ThreadToRun, body: NewRun, by: CurrentSender, services: ServicesDep
) -> EventSourceResponse:
    run, after = await _start(services, by, thread, body)
    return _follow(services, by.caller, run, after, body.modes)


@router.post("/runs/wait")
async def wait_for_new_run(
    thread: ThreadToRun, body: NewRun, by: CurrentSender, services: ServicesDep, response: Response
) -> Json:
    run, after = await _start(services, by, thread, body)
    response.headers.update(_where(run, "join"))
    return await _outcome(services, by.caller, run, after)


@router.get("/runs")
async def list_runs(
    thread: OwnThread,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    status: Literal["pending", "running", "success", "error", "interrupted", "timeout"] | None = None,
) -> list[Json]:
    found = await services.ledger.runs(thread.id, limit=limit, offset=offset)
    return [run_json(run) for run in found if status in {None, run.status}]


@router.get("/runs/{run_id}")
async def get_run(run: OwnRun) -> Json:
    return run_json(run)


@router.get("/runs/{run_id}/join")
async def join_run(run: OwnRun, caller: Caller, services: ServicesDep) -> Json:
    """Waits for the run to end and returns the values of the thread."""
    return await _outcome(services, caller, run, await services.events.tail(run.thread))


@router.get("/runs/{run_id}/stream", **STREAMED, dependencies=[Place])
async def join_run_stream(
    run: OwnRun,
    caller: Caller,
    services: ServicesDep,
    last_event_id: LastEventId = None,
    modes: Modes = [],  # noqa: B006 - FastAPI copies it
) -> EventSourceResponse:
    """From after `Last-Event-ID`, from the start for `-1`, or from now on."""
    after = position(last_event_id, tail=await services.events.tail(run.thread))
    # SDKs send an empty one for "all".
    return _follow(services, caller, run, after, frozenset(filter(None, modes)) or ALL_MODES)


@router.post("/runs/{run_id}/cancel")
async def cancel_run(
    run: OwnRun,
    caller: Caller,
    services: ServicesDep,
    wait: bool = False,
    _action: Annotated[Literal["interrupt"], Query(alias="action")] = "interrupt",
) -> Json:
    """Stops a run where it is. What it has done stays done, so there is no rollback."""
    if run.status not in {"pending", "running"}:
        raise NotFound("This run has ended already.")
    await services.queue.executor.cancel(run)
    if wait:
        await _outcome(services, caller, run, await services.events.tail(run.thread))
    return {}


@router.get("/stream", **STREAMED, dependencies=[Place])
async def join_thread_stream(
    thread: OwnThread, caller: Caller, services: ServicesDep, last_event_id: LastEventId = None
) -> EventSourceResponse:
    """Everything that happens on the thread, run after run."""
    after = position(last_event_id, tail=await services.events.tail(thread.id))
    channels = channels_for(services, caller)
    return respond(
        services, lambda stopped: thread_events(services, thread.id, after, channels=channels, stopped=stopped)
    )


async def _start(services: Services, by: Sender, thread: Thread, body: NewRun) -> tuple[Run, str]:
    """The run, and the place in the log from which all of its events follow."""
    after = await services.events.tail(thread.id)
    return await ask(services, thread, by, body), after


def _follow(services: Services, caller: Principal, run: Run, after: str, modes: frozenset[str]) -> EventSourceResponse:
    channels = channels_for(services, caller)

    def events(stopped: Check) -> AsyncIterator[Event]:
        source = run_events(services, run.thread, run.id, after, channels=channels, stopped=stopped)
        return in_modes(source, modes)

    return respond(services, events, _where(run, "stream"))


def _where(run: Run, form: str) -> dict[str, str]:
    """SDKs reconnect to the Location, and read the run's id from the Content-Location."""
    path = f"/threads/{run.thread}/runs/{run.id}"
    return {"Location": f"{path}/{form}", "Content-Location": path}


async def _outcome(services: Services, caller: Principal, run: Run, after: str) -> Json:
    stopped = waiting(services)
    async for _ in run_events(services, run.thread, run.id, after, channels=None, stopped=stopped):
        pass
    ended = await services.ledger.run(run.id)
    if ended is None:
        raise NotFound
    if ended.status in {"pending", "running"}:
        raise Unavailable("This run goes on. Join it again.")
    if failure := failure_of(ended):
        return {"__error__": failure}
    return await final_values(services, run.thread, caller)
