"""The event log in the forms that clients read: the Agent Server protocol, and the plain one of `POST /chat`."""

import json
from collections.abc import AsyncIterator
from typing import Any

from server.events import Check, Event, follow_run, follow_thread
from server.rejoining import numbered
from server.runs.encode import dumps
from server.runs.transcript import text_of, told_live
from server.services import Services
from server.view import ALWAYS, customer_view
from tools.ledger.types import Run

Json = dict[str, Any]
Channels = frozenset[str] | None
ACCUMULATING = "messages"
DEBUG_MODES = frozenset({"debug", "checkpoints", "tasks"})
"""For staff. One event in the log stands for all three: what `debug` wraps is what the other two tell."""


def run_events(services: Services, run: Run, after: str, *, channels: Channels, stopped: Check) -> AsyncIterator[Event]:
    async def finished() -> bool:
        found = await services.ledger.run(run.id)
        return found is None or found.is_over

    source = follow_run(
        services.events, run.thread, run.id, after, stopped=stopped, finished=finished, is_over=run.is_over
    )
    return source if channels is None else customer_view(source, channels)


def thread_events(
    services: Services, thread: str, after: str, *, channels: Channels, stopped: Check
) -> AsyncIterator[Event]:
    source = follow_thread(services.events, thread, after, stopped=stopped)
    return source if channels is None else customer_view(source, channels)


async def in_modes(source: AsyncIterator[Event], modes: frozenset[str]) -> AsyncIterator[Event]:
    """Of the events those that were asked for. `messages` and `messages-tuple` are two forms of the same."""
    accumulated: dict[str, Json] = {}
    async for event in source:
        for form in numbered(event, _forms(event, modes, accumulated)):
            yield form


def _forms(event: Event, modes: frozenset[str], accumulated: dict[str, Json]) -> list[Event]:
    match event.event:
        case "messages":
            as_it_is = [event] if "messages-tuple" in modes else []
            return [*as_it_is, *(_accumulating(event, accumulated) if ACCUMULATING in modes else [])]
        case "debug":
            return _steps(event, modes)
        case "metadata":
            accumulated.clear()  # another attempt, in which every message begins anew
    return [event] if event.event in modes | ALWAYS else []


def _steps(event: Event, modes: frozenset[str]) -> list[Event]:
    data = json.loads(event.data)
    kind = "checkpoints" if data["type"] == "checkpoint" else "tasks"
    forms = [_like(event, kind, data["payload"])] if kind in modes else []
    return [*forms, event] if "debug" in modes else forms


def _accumulating(event: Event, so_far: dict[str, Json]) -> list[Event]:
    """The older form: each event repeats the message as far as it has come."""
    message, metadata = json.loads(event.data)
    name = message.get("id") or ""
    forms = []
    if name not in so_far:
        forms.append(_like(event, "messages/metadata", {name: {"metadata": metadata}}))
    said = text_of(so_far.get(name, {})) + text_of(message)
    is_chunk = message.get("type") == "AIMessageChunk"
    so_far[name] = {**message, "type": "ai" if is_chunk else message["type"], "content": said}
    so_far[name].pop("tool_call_chunks", None)
    so_far[name].pop("chunk_position", None)
    forms.append(_like(event, "messages/partial" if is_chunk else "messages/complete", [so_far[name]]))
    return forms


async def as_chat(source: AsyncIterator[Event], *, thread: str, author: str) -> AsyncIterator[Event]:
    """`metadata`, `status`, `token`, `message`, `error`, `end`: nothing that needs a library to read."""
    told: set[str] = set()
    async for event in source:
        data = json.loads(event.data)
        match event.event:
            case "metadata":
                yield _like(event, "metadata", {"thread_id": thread, "run_id": data["run_id"]})
            case "custom":
                yield _like(event, "status", {"text": data.get("text", "")})
            case "messages" if data[0].get("type") == "AIMessageChunk" and (text := text_of(data[0])):
                yield _like(event, "token", {"text": text})
            case "updates":
                for message in _replies(data, author, told):
                    yield _like(event, "message", message)
            case "error":
                yield _like(event, "error", {"code": data["error"], "message": data["message"]})
            case "end":
                yield _like(event, "end", {})
            case "gap" | "reconnect":
                yield event


def _replies(updates: Json, author: str, told: set[str]) -> list[Json]:
    parts = [part for update in updates.values() for part in (update if isinstance(update, list) else [update])]
    messages = [one for part in parts if isinstance(part, dict) for one in _listed(part.get("messages"))]
    replies = [reply for one in messages if (reply := told_live(one, author)) and reply["id"] not in told]
    told.update(reply["id"] for reply in replies)
    return replies


def _listed(value: Any) -> list[Json]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _like(event: Event, name: str, data: Any) -> Event:
    return Event(id=event.id, run=event.run, event=name, data=dumps(data), previous=event.previous)
