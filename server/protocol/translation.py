"""What the entries of a run say in protocol v2. Pure: the same entries give the same events, in the same places."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from server.events import Event
from server.runs.queue import ASSISTANT
from server.runs.transcript import text_of
from server.view import INTERRUPT

Json = dict[str, Any]
PHASES = {"success": "completed", "error": "failed", "timeout": "failed", "interrupted": "interrupted"}


@dataclass(frozen=True)
class Said:
    method: str
    data: Any

    @property
    def channels(self) -> set[str]:
        """Those that it is on."""
        match self.method:
            case "input.requested":
                return {"input"}
            case "custom" if name := self.data.get("name"):
                return {"custom", f"custom:{name}"}
            case method:
                return {method}


@dataclass
class Growing:
    """A message that is not finished yet."""

    node: str
    text: str = ""


@dataclass
class Translation:
    """Fed with one entry after the other, from the first of a run."""

    run: str | None = None
    """The one that goes on."""
    is_within: bool = False
    """Some of the run was missed. A message that may have begun before is told whole, when its node is done."""
    _is_over: bool = False
    _waits: bool = False
    _open: dict[str, Growing] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def of(self, entry: Event) -> list[Said]:
        self.run = entry.run
        return list(self._of(entry, json.loads(entry.data)))

    def over(self, status: str) -> Said:
        """The end of a run of which the log does not say how it was left."""
        return self._ended("interrupted" if self._waits else PHASES[status])

    def _of(self, entry: Event, data: Any) -> Iterator[Said]:
        match entry.event:
            case "metadata":
                self._begin()
                yield lifecycle("running")
            case "values":
                yield values(data)
            case "updates":
                yield from self._finish(name for name, growing in self._open.items() if growing.node in data)
                yield from self._updates(data)
            case "messages":
                yield from self._message(*data)
            case "custom":
                yield Said("custom", {**_name(data), "payload": data})
            case "error":
                yield from self._fail(data)
            case "end":
                yield from self._end((data or {}).get("status"))

    def _begin(self) -> None:
        """Also a run that is taken up again: what was half said is said anew."""
        self._is_over = self._waits = self.is_within = False
        self._open.clear()
        self._told.clear()

    def _updates(self, data: Json) -> Iterator[Said]:
        was_within, self.is_within = self.is_within, False
        for node, update in data.items():
            if node == INTERRUPT:
                self._waits = True
                yield from requests(update)
            else:
                for part in _dicts(update):
                    for reply in _replies(part) if was_within else []:
                        yield from self._message(reply, {"langgraph_node": node})
                    yield Said("updates", {"node": node, "values": part})

    def _message(self, message: Json, metadata: Json) -> Iterator[Said]:
        name, text = message.get("id") or "", text_of(message)
        if name in self._told or self.is_within:
            return
        if name not in self._open:
            self._open[name] = Growing(str(metadata.get("langgraph_node")))
            role = "human" if message.get("type") == "human" else "ai"
            yield _about(name, "message-start", role=role, metadata=_scalars(metadata))
            yield _about(name, "content-block-start", index=0, content=_block(""))
        if text:
            self._open[name].text += text
            yield _about(name, "content-block-delta", index=0, delta={"type": "text-delta", "text": text})
        if message.get("type") != "AIMessageChunk" or message.get("chunk_position") == "last":
            yield from self._finish([name])

    def _finish(self, names: Iterable[str]) -> Iterator[Said]:
        for name in list(names):
            yield _about(name, "content-block-finish", index=0, content=_block(self._open.pop(name).text))
            yield _about(name, "message-finish")
            self._told.add(name)

    def _fail(self, failure: Json) -> Iterator[Said]:
        for name in tuple(self._open):
            del self._open[name]
            yield _about(name, "error", message=failure["message"], code=failure["error"])
        yield self._ended("failed", error=failure["message"])

    def _end(self, status: str | None) -> Iterator[Said]:
        yield from self._finish(self._open)
        if not self._is_over:  # else it failed, and that was said
            yield self._ended(PHASES[status]) if status else self.over("success")
        self.run = None

    def _ended(self, phase: str, **more: str) -> Said:
        self.run, self._is_over = None, True
        return lifecycle(phase, **more)


def lifecycle(phase: str, **more: str) -> Said:
    return Said("lifecycle", {"event": phase, "graph_name": ASSISTANT, **more})


def values(state: Json) -> Said:
    """With replies in the form in which `messages` tells them: only then do clients take what else they hold, cards."""
    shown = {key: value for key, value in state.items() if key != INTERRUPT}
    if isinstance(messages := shown.get("messages"), list):
        shown["messages"] = [_in_blocks(message) for message in messages]
    return Said("values", shown)


def requests(interrupts: list[Json]) -> Iterator[Said]:
    for interrupt in interrupts:
        yield Said("input.requested", {"interrupt_id": interrupt["id"], "payload": interrupt["value"]})


def _about(name: str, event: str, **data: Any) -> Said:
    return Said("messages", {"event": event, "id": name, **data})


def _dicts(update: Any) -> list[Json]:
    """A node may change something in several parts, or nothing."""
    return [part if isinstance(part, dict) else {} for part in (update if isinstance(update, list) else [update])]


def _replies(part: Json) -> list[Json]:
    messages = part.get("messages") or []
    found = messages if isinstance(messages, list) else [messages]
    return [message for message in found if isinstance(message, dict) and message.get("type") == "ai"]


def _in_blocks(message: Json) -> Json:
    if message.get("type") != "ai" or not isinstance(text := message.get("content"), str):
        return message
    form = {**(message.get("response_metadata") or {}), "output_version": "v1"}
    return {**message, "content": [_block(text)] if text else [], "response_metadata": form}


def _block(text: str) -> Json:
    return {"type": "text", "text": text}


def _name(data: Any) -> Json:
    kind = data.get("type") if isinstance(data, dict) else None
    return {"name": kind} if isinstance(kind, str) else {}


def _scalars(metadata: Json) -> Json:
    return {key: value for key, value in metadata.items() if isinstance(value, str | int | float | bool)}
