"""Runs of a thread: start, follow, wait for, look up, cancel. A run goes on whoever listens."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from sse_starlette import EventSourceResponse

from server.auth import Caller, Rule, guards
from server.following import allow_modes, outcome, refuse_inner, rejoin, resumed, run_apart, run_awaited, run_streamed
from server.present import run_json
from server.schemas import NewRun
from server.services import ServicesDep
from server.sse import STREAMED, Place, respond
from server.streams import thread_events
from server.threads import CurrentSender, OwnRun, OwnThread, channels_for, find_thread, open_thread, uuid_of
from tools.errors import NotFound
from tools.ledger.types import Thread

Json = dict[str, Any]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)]
Modes = Annotated[list[str], Query(alias="stream_mode", description="Any of `values`, `updates`, `messages`, ...")]
router = APIRouter(prefix="/threads/{thread_id}", tags=["runs"])

ALL_MODES = frozenset({"values", "updates", "messages-tuple", "custom"})


@guards(Rule.OWNER)
async def thread_to_run(
    thread_id: Annotated[str, Path()], body: NewRun, caller: Caller, services: ServicesDep
) -> Thread:
    """The caller's own; for a customer who says so, a new one, unless what they ask for is not theirs to see."""
    refuse_inner(caller, body.modes)
    if body.if_not_exists == "create" and not caller.is_staff:
        return await open_thread(services, caller, UUID(uuid_of(thread_id)))
    return await find_thread(services.ledger, caller, thread_id)


ThreadToRun = Annotated[Thread, Depends(thread_to_run)]


@router.post("/runs")
async def create_run(
    thread: ThreadToRun, body: NewRun, by: CurrentSender, services: ServicesDep, response: Response
) -> Json:
    return await run_apart(services, by, thread, body, response)


@router.post("/runs/stream", **STREAMED, dependencies=[Place])
async def stream_run(
    thread: ThreadToRun, body: NewRun, by: CurrentSender, services: ServicesDep
) -> EventSourceResponse:
    return await run_streamed(services, by, thread, body)


@router.post("/runs/wait")
async def wait_for_new_run(
    thread: ThreadToRun, body: NewRun, by: CurrentSender, services: ServicesDep, response: Response
) -> Json:
    return await run_awaited(services, by, thread, body, response)


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
    return await outcome(services, caller, run, await services.events.tail(run.thread))


@router.get("/runs/{run_id}/stream", **STREAMED, dependencies=[Place])
async def join_run_stream(
    run: OwnRun,
    caller: Caller,
    services: ServicesDep,
    last_event_id: LastEventId = None,
    modes: Modes = [],  # noqa: B006 - FastAPI copies it
) -> EventSourceResponse:
    """From after `Last-Event-ID`, from the start for `-1`, or from now on."""
    wanted = frozenset(filter(None, modes)) or ALL_MODES  # SDKs send an empty one for "all"
    await allow_modes(services, caller, run.thread, wanted)
    return await rejoin(services, caller, run, last_event_id, wanted)


@router.post("/runs/{run_id}/cancel")
async def cancel_run(
    run: OwnRun,
    caller: Caller,
    services: ServicesDep,
    wait: bool = False,
    _action: Annotated[Literal["interrupt"], Query(alias="action")] = "interrupt",
) -> Json:
    """Stops a run where it is. What it has done stays done, so there is no rollback."""
    if run.is_over:
        raise NotFound("This run has ended already.")
    await services.queue.executor.cancel(run)
    if wait:
        await outcome(services, caller, run, await services.events.tail(run.thread))
    return {}


@router.get("/stream", **STREAMED, dependencies=[Place])
async def join_thread_stream(
    thread: OwnThread, caller: Caller, services: ServicesDep, last_event_id: LastEventId = None
) -> EventSourceResponse:
    """Everything that happens on the thread, run after run."""
    after = await resumed(services, thread.id, last_event_id)
    channels = channels_for(services, caller)
    return respond(
        services, lambda stopped: thread_events(services, thread.id, after, channels=channels, stopped=stopped)
    )
