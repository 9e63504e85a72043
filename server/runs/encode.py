"""Parts of a graph's stream as events of the wire protocol, in JSON."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from langgraph.types import Interrupt
from pydantic import BaseModel

Json = dict[str, Any]
NO_NODE = "__metadata__"
"""By this LangGraph says that a step was kept from an attempt before. Clients would take it for one of the nodes."""


def encode(part: Mapping[str, Any]) -> tuple[str, str]:
    """Event name and JSON text of one v2 stream part."""
    kind, data = part["type"], part["data"]
    match kind:
        case "values":
            return kind, dumps(with_interrupts(data, part.get("interrupts") or ()))
        case "messages":
            message, metadata = data
            return kind, dumps([message, {key: value for key, value in metadata.items() if _is_wanted(key)}])
        case "updates":
            return kind, dumps({node: update for node, update in data.items() if node != NO_NODE})
        case "debug" if data["type"] == "checkpoint":
            return kind, dumps({**data, "payload": _checkpoint(data["payload"])})
        case _:
            return kind, dumps(data)


def _checkpoint(payload: Mapping[str, Any]) -> Json:
    """Under the names that Studio reads, and without what of the configuration is ours alone."""
    here, parent = (_place(payload.get(name)) for name in ("config", "parent_config"))
    return {
        **payload,
        "config": here and {"configurable": here},
        "parent_config": parent and {"configurable": parent},
        "checkpoint": here,
        "parent_checkpoint": parent,
    }


def _place(config: Any) -> Json | None:
    given = (config or {}).get("configurable") or {}
    return {key: given.get(key, "") for key in ("thread_id", "checkpoint_ns", "checkpoint_id")} if given else None


def with_interrupts(values: Any, interrupts: Iterable[Interrupt]) -> Any:
    found = list(interrupts)
    return {**values, "__interrupt__": found} if found and isinstance(values, Mapping) else values


def dumps(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def jsonable(value: Any) -> Any:
    return json.loads(dumps(value))


def _is_wanted(key: str) -> bool:
    return key in {"run_id", "thread_id", "tags"} or key.startswith("langgraph_")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Interrupt):
        return {"id": value.id, "value": value.value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
