"""What of a run's events and of a thread's state each caller may see.

Staff see everything. Customers see the channels of the graph's output schema, the tokens of replies, and status lines;
of an interrupt they see that there is one, not what it says.
"""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import PregelTask, StateSnapshot

from server.events import Event
from server.runs.encode import dumps, jsonable

Json = dict[str, Any]
ALWAYS = frozenset({"metadata", "error", "end", "gap", "reconnect"})
INTERRUPT = "__interrupt__"


def public_channels(graph: CompiledStateGraph[Any, Any, Any, Any]) -> frozenset[str]:
    channels = graph.output_channels
    return frozenset([channels] if isinstance(channels, str) else channels)


def shown_values(values: Json, channels: frozenset[str] | None) -> Json:
    """`channels` None: all of them."""
    if channels is None:
        return values
    shown = {key: value for key, value in values.items() if key in channels}
    return {**shown, **({INTERRUPT: veiled(values[INTERRUPT])} if INTERRUPT in values else {})}


def veiled(interrupts: list[Json]) -> list[Json]:
    return [{"id": interrupt.get("id"), "value": None} for interrupt in interrupts]


def for_customer(event: Event, channels: frozenset[str]) -> Event | None:
    """The event as a customer sees it, or None."""
    data = json.loads(event.data)
    match event.event:
        case "values":
            return _with(event, shown_values(data, channels))
        case "updates":
            return _with(event, _shown_updates(data, channels))
        case "messages":
            return event if data[0].get("type") in {"ai", "AIMessageChunk", "human"} else None
        case "custom":
            return event if isinstance(data, dict) and data.get("type") == "status" else None
        case name:
            return event if name in ALWAYS else None


async def customer_view(source: AsyncIterator[Event], channels: frozenset[str]) -> AsyncIterator[Event]:
    async for event in source:
        if (shown := for_customer(event, channels)) is not None:
            yield shown


def state_json(snapshot: StateSnapshot, channels: frozenset[str] | None) -> Json:
    """A snapshot in the shape of the Agent Server protocol."""
    hide: Callable[[list[Json]], list[Json]] = veiled if channels is not None else list
    here, parent = _checkpoint(snapshot.config), _checkpoint(snapshot.parent_config)
    return {
        "values": shown_values(jsonable(snapshot.values), channels),
        "next": list(snapshot.next),
        "tasks": [_task(task, hide) for task in snapshot.tasks],
        "interrupts": hide(jsonable(list(snapshot.interrupts))),
        "metadata": jsonable(snapshot.metadata) if snapshot.metadata else None,
        "created_at": snapshot.created_at,
        "checkpoint": here,
        "parent_checkpoint": parent,
        "checkpoint_id": here and here["checkpoint_id"],
        "parent_checkpoint_id": parent and parent["checkpoint_id"],
    }


def _with(event: Event, data: Any) -> Event:
    return Event(id=event.id, run=event.run, event=event.event, data=dumps(data), previous=event.previous)


def _shown_updates(data: Json, channels: frozenset[str]) -> Json:
    shown: Json = {}
    for node, update in data.items():
        if node == INTERRUPT:
            shown[node] = veiled(update)
        else:
            parts = update if isinstance(update, list) else [update]
            kept = [shown_values(part, channels) for part in parts if isinstance(part, dict)]
            shown[node] = kept if isinstance(update, list) else next(iter(kept), None)
    return shown


def _task(task: PregelTask, hide: Callable[[list[Json]], list[Json]]) -> Json:
    return {
        "id": task.id,
        "name": task.name,
        "path": list(task.path),
        "error": "error" if task.error else None,
        "interrupts": hide(jsonable(list(task.interrupts))),
        "checkpoint": None,
        "state": None,
        "result": None,
    }


def _checkpoint(config: Any) -> Json | None:
    configurable = (config or {}).get("configurable") or {}
    if "checkpoint_id" not in configurable:
        return None
    return {key: configurable.get(key, "") for key in ("thread_id", "checkpoint_ns", "checkpoint_id")}
