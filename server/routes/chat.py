"""The plain door: one POST, one stream of events that curl can read. And asking for a person, and saying how it was."""

import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from sse_starlette import EventSourceResponse

from server.auth import CurrentCustomer
from server.door import fitting, remark
from server.events import Check, Event
from server.runs.payload import handover
from server.schemas import ChatMessage, Escalation, Rating
from server.services import ServicesDep
from server.sse import STREAMED, Place, respond
from server.streams import as_chat, run_events
from server.threads import CurrentSender, channels_for, find_thread, open_thread, say
from server.waiting import unless_silent

Json = dict[str, Any]
router = APIRouter(tags=["chat"])


@router.post("/chat", **STREAMED, dependencies=[Place])
async def chat(
    body: ChatMessage, caller: CurrentCustomer, by: CurrentSender, services: ServicesDep
) -> EventSourceResponse:
    """Events: `metadata`, `status`, `token`, `message`, `error`, `end`. Without `thread_id`, a new conversation."""
    since = time.monotonic()
    fitting(body.message)
    if body.thread_id:
        thread = await find_thread(services.ledger, caller, str(body.thread_id))
    else:
        thread = await open_thread(services, caller)
    after = await services.events.tail(thread.id)
    run = await say(services, thread, body.message, by=by)
    channels = channels_for(services, caller)

    def events(stopped: Check) -> AsyncIterator[Event]:
        source = run_events(services, run, after, channels=channels, stopped=stopped)
        source = services.metrics.serving.timed(source, since)
        told = as_chat(source, thread=thread.id, author=services.author)
        return unless_silent(told, services.ledger, run.id)

    return respond(services, events)


@router.post("/escalate", status_code=202)
async def escalate(body: Escalation, caller: CurrentCustomer, services: ServicesDep) -> Json:
    """Asks for a person. The conversation's stream tells how it goes on."""
    thread = await find_thread(services.ledger, caller, str(body.thread_id))
    await services.queue.make_room(thread.id)
    reason = await remark(services.plugs, thread.id, body.reason)
    run = await services.queue.submit(thread.id, handover(reason))
    return {"thread_id": thread.id, "run_id": run.id}


@router.post("/feedback", status_code=201)
async def give_feedback(body: Rating, caller: CurrentCustomer, services: ServicesDep) -> Json:
    thread = await find_thread(services.ledger, caller, str(body.thread_id))
    comment = await remark(services.plugs, thread.id, body.comment)
    await services.ledger.record_feedback(thread.id, body.rating, comment)
    return {"thread_id": thread.id, "rating": body.rating}
