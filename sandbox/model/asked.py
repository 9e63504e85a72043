"""A request for a chat completion, read as far as a scripted model needs it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

# Instructions end in a sentence of this kind; the text to be worded follows as paragraphs of its own.
_DRAFT = re.compile(r"(?:instructions\s+to\s+you|that\s+is\s+not\s+in\s+it)\.\n\n(?P<draft>.+)", re.DOTALL)


class Refusal(Exception):
    """What the API answers with status 400 (or the one given)."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asked:
    body: Json

    def __post_init__(self) -> None:
        if not isinstance(self.body.get("model"), str):
            raise Refusal("you must provide a model parameter")
        if not isinstance(self.messages, list) or not self.messages:
            raise Refusal("Invalid 'messages': empty array. Expected an array with minimum length 1.")
        _check_schema((self.body.get("response_format") or {}).get("json_schema") or {})

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def messages(self) -> Any:
        return self.body.get("messages")

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def counts_usage(self) -> bool:
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    @property
    def tool(self) -> str | None:
        """The function that must be called, when one must."""
        choice = self.body.get("tool_choice")
        return str(choice["function"]["name"]) if isinstance(choice, dict) and "function" in choice else None

    @property
    def structured(self) -> bool:
        return self.tool is not None or (self.body.get("response_format") or {}).get("type") == "json_schema"

    @property
    def draft(self) -> str:
        """The text that the instructions give to be worded, or their last paragraph."""
        instructions = "\n\n".join(_text(each) for each in self.messages if each.get("role") in {"system", "developer"})
        found = _DRAFT.search(instructions)
        return found["draft"] if found else instructions.rpartition("\n\n")[2]

    @property
    def last_words(self) -> str:
        """What stands after the last heading of the last message."""
        return _text(self.messages[-1]).rpartition(":\n")[2]


def _text(message: Json) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _check_schema(described: Json) -> None:
    if described.get("strict") and (loose := list(_loose(described.get("schema")))):
        raise Refusal(
            f"Invalid schema for response_format '{described.get('name')}': In context=({loose[0]}), every object "
            "needs 'additionalProperties' to be false and 'required' to name all of its properties."
        )


def _loose(schema: Any, path: str = "") -> Iterator[str]:
    """Paths of the objects in a strict schema that leave something open, which OpenAI refuses."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    closed = schema.get("additionalProperties") is False
    if isinstance(properties, dict) and not (closed and set(schema.get("required", [])) == set(properties)):
        yield path
    for name, part in schema.items():
        yield from _loose(part, f"{path}/{name}")
