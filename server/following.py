"""A run from its start to its outcome, as whoever asked for it follows it."""

import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Response
from sse_starlette import EventSourceResponse

from server.auth import Principal
from server.events import START, Check, Event, position
from server.present import failure_of, run_json
from server.rejoining import entry_of, unread
from server.runs.marks import watch
from server.schemas import NewRun
from server.services import Services
from server.sse import respond, waiting
from server.streams import ACCUMULATING, DEBUG_MODES, in_modes, run_events
from server.threads import Sender, ask, channels_for, final_values
from tools.errors import Forbidden, NotFound, Unavailable
from tools.ledger.types import Run, Thread

Json = dict[str, Any]


async def _start(services: Services, by: Sender, thread: Thread, body: NewRun) -> tuple[Run, str]:
    """The run, and the place in the log from which all of its events follow."""
    await allow_modes(services, by.caller, thread.id, body.modes)
    after = await services.events.tail(thread.id)
    return await ask(services, thread, by, body), after


async def allow_modes(services: Services, caller: Principal, thread: str, modes: frozenset[str]) -> None:
    """Has the thread's runs from now on tell of their steps, where staff ask for that. Raises `Forbidden`."""
    if not (inner := modes & DEBUG_MODES):
        return
    refuse_inner(caller, inner)
    await watch(services.plugs.redis, thread)


def refuse_inner(caller: Principal, modes: frozenset[str]) -> None:
    if modes & DEBUG_MODES and not caller.is_staff:
        named = ", ".join(sorted(modes & DEBUG_MODES))
        raise Forbidden(f"stream_mode: {named} shows the state between the steps, which is for staff alone.")


async def resumed(services: Services, thread: str, last_event_id: str | None) -> str:
    """The place in the log after which a client reads that comes back, or joins."""
    if last_event_id is None:
        return await services.events.tail(thread)
    services.metrics.serving.replays.inc()
    return position(last_event_id)


def follow(
    services: Services,
    caller: Principal,
    run: Run,
    after: str,
    modes: frozenset[str],
    *,
    since: float | None = None,
    read: str | None = None,
) -> EventSourceResponse:
    """What comes after this place of the log, but for what was `read` already: up to this event.

    `since`: when the message arrived that the run answers, by `time.monotonic`.
    """
    channels = channels_for(services, caller)

    def events(stopped: Check) -> AsyncIterator[Event]:
        source = in_modes(run_events(services, run, after, channels=channels, stopped=stopped), modes)
        if read is not None:
            return unread(source, read)
        return source if since is None else services.metrics.serving.timed(source, since)

    return respond(services, events, _where(run, "stream"))


async def rejoin(
    services: Services, caller: Principal, run: Run, last_event_id: str | None, modes: frozenset[str]
) -> EventSourceResponse:
    """From after that event, from the start for `-1`, or from now on."""
    if last_event_id is None:
        return follow(services, caller, run, await resumed(services, run.thread, None), modes)
    entry, is_amid = entry_of(last_event_id)
    after = await resumed(services, run.thread, entry)
    if after == START or not (is_amid or ACCUMULATING in modes):
        return follow(services, caller, run, after, modes)
    # From where all is known that the entry builds on, as far as it is kept.
    start = await services.events.before_run(run.thread, after) or after
    return follow(services, caller, run, start, modes, read=last_event_id)


async def run_apart(services: Services, by: Sender, thread: Thread, body: NewRun, response: Response) -> Json:
    """Starts a run and says which it is."""
    run, _ = await _start(services, by, thread, body)
    response.headers.update(_where(run, "stream"))
    return run_json(run)


async def run_streamed(services: Services, by: Sender, thread: Thread, body: NewRun) -> EventSourceResponse:
    since = time.monotonic()
    run, after = await _start(services, by, thread, body)
    return follow(services, by.caller, run, after, body.modes, since=since)


async def run_awaited(services: Services, by: Sender, thread: Thread, body: NewRun, response: Response) -> Json:
    """Starts a run, and answers with the values that it ends with."""
    run, after = await _start(services, by, thread, body)
    response.headers.update(_where(run, "join"))
    return await outcome(services, by.caller, run, after)


def _where(run: Run, form: str) -> dict[str, str]:
    """SDKs reconnect to the Location, and read the run's id from the Content-Location."""
    path = f"/threads/{run.thread}/runs/{run.id}"
    return {"Location": f"{path}/{form}", "Content-Location": path}


async def outcome(services: Services, caller: Principal, run: Run, after: str) -> Json:
    stopped = waiting(services)
    async for _ in run_events(services, run, after, channels=None, stopped=stopped):
        pass
    ended = await services.ledger.run(run.id)
    if ended is None:
        raise NotFound
    if not ended.is_over:
        raise Unavailable("This run goes on. Join it again.")
    if failure := failure_of(ended):
        return {"__error__": failure}
    return await final_values(services, run.thread, caller)
