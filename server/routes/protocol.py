"""Protocol v2: commands, and one stream of events for all runs of a thread (`docs/protocol.md`)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from sse_starlette import EventSourceResponse

from server.auth import Caller, Rule, guards
from server.protocol.bodies import Command, RunStart, Subscription
from server.protocol.commands import carry_out
from server.protocol.reading import protocol_events
from server.services import ServicesDep
from server.sse import STREAMED, Place, respond
from server.threads import CurrentSender, OwnThread, find_thread, open_thread, uuid_of
from tools.errors import NotFound
from tools.ledger.types import Thread

Json = dict[str, Any]
router = APIRouter(prefix="/threads/{thread_id}", tags=["protocol v2"])


@guards(Rule.OWNER)
async def commanded_thread(
    thread_id: Annotated[str, Path()], body: Command, caller: Caller, services: ServicesDep
) -> Thread:
    """The caller's own; for a customer who starts a run on a thread that is nobody's, a new one."""
    try:
        return await find_thread(services.ledger, caller, thread_id)
    except NotFound:
        if caller.is_staff or not isinstance(body, RunStart):
            raise
        return await open_thread(services, caller, UUID(uuid_of(thread_id)))


CommandedThread = Annotated[Thread, Depends(commanded_thread)]


@router.post("/commands")
async def send_command(thread: CommandedThread, body: Command, by: CurrentSender, services: ServicesDep) -> Json:
    """`run.start`, `input.respond` or `agent.getTree`."""
    return await carry_out(services, by, thread, body)


@router.post("/stream/events", **STREAMED, dependencies=[Place])
async def stream_events(
    thread: OwnThread, body: Subscription, caller: Caller, services: ServicesDep
) -> EventSourceResponse:
    """Everything that is kept, or what comes after `since`; then what happens, run after run."""
    if body.since:
        services.metrics.serving.replays.inc()
    return respond(services, lambda stopped: protocol_events(services, thread.id, caller, body, stopped))
