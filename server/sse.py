"""Streams to clients: bounded in time, kept alive, and ended with `reconnect` when the server or their time is up."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import anyio
from fastapi import Depends
from redis.exceptions import RedisError
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus

from server.auth import Caller
from server.events import Check, Event
from server.services import Services, ServicesDep


class EventStream(EventSourceResponse):
    """For the documentation: what streaming routes answer with."""

    media_type = "text/event-stream"


EVENT = {
    "type": "object",
    "description": "One event of the stream; `data` is JSON.",
    "properties": {
        "id": {"type": "string", "description": "Rejoin after it with the header Last-Event-ID."},
        "event": {"type": "string"},
        "data": {"type": "string"},
        "retry": {"type": "integer", "description": "Milliseconds to wait before rejoining."},
    },
    "required": ["event", "data"],
}
STREAMED: dict[str, Any] = {
    "response_class": EventStream,
    "responses": {200: {"content": {EventStream.media_type: {"schema": EVENT}}}},
}
"""What a streaming route declares."""
PING_SECONDS = 15
SEND_SECONDS = 30
# After this the response cuts the generator off; longer than a reader takes to notice that it should stop.
GRACE_SECONDS = 1.5

Source = Callable[[Check], AsyncIterator[Event]]


async def take_place(caller: Caller, services: ServicesDep) -> AsyncIterator[None]:
    """Among the caller's open streams, for as long as this one is open."""
    async with services.limits.stream(caller.id):
        yield


Place = Depends(take_place)


def respond(services: Services, source: Source, headers: Mapping[str, str] | None = None) -> EventSourceResponse:
    """`source` is given the check by which it knows when to stop."""
    stopping = anyio.Event()
    past = _deadline(services.settings.stream_seconds)
    stopped: Check = lambda: stopping.is_set() or past()  # noqa: E731 - two words read better in place
    return EventSourceResponse(
        _counted(services, lines(_with_gaps(services, source(stopped)), stopped)),
        headers=headers,
        ping=PING_SECONDS,
        send_timeout=SEND_SECONDS,
        shutdown_event=stopping,
        shutdown_grace_period=GRACE_SECONDS,
    )


async def lines(source: AsyncIterator[Event], stopped: Check) -> AsyncIterator[ServerSentEvent]:
    last = None
    try:
        async for event in source:
            last = event.id or last
            yield ServerSentEvent(event.data, event=event.event, id=event.id or None)
    except RedisError:
        yield ServerSentEvent('{"reason": "interrupted"}', event="reconnect", id=last, retry=2000)
        return
    if stopped():
        yield ServerSentEvent('{"reason": "time is up"}', event="reconnect", id=last)


def waiting(services: Services) -> Check:
    """When a request that waits for a run without a stream should give up."""
    past = _deadline(services.settings.stream_seconds)
    return lambda: AppStatus.should_exit or past()


def _deadline(seconds: float) -> Check:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


async def _with_gaps(services: Services, source: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async for event in source:
        if event.event == "gap":
            services.metrics.serving.gaps.inc()
        yield event


async def _counted(services: Services, source: AsyncIterator[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    with services.metrics.serving.streams.track_inprogress():
        async with aclosing(source):  # type: ignore[type-var]
            async for line in source:
                yield line
