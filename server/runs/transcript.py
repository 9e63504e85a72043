"""Lines of a conversation that the customer can see, as the ledger keeps them and as clients are told."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from tools.ledger.types import Message, Role, Said

Json = dict[str, Any]
SHOWN = ("cards", "citations", "stage")


def lines(messages: Sequence[AnyMessage], *, author: str) -> list[Said]:
    """Of the messages those that the customer is shown."""
    return [
        Said(
            id=message.id,
            role=who[0],
            author=who[1],
            text=message.text,
            extra={key: message.additional_kwargs[key] for key in SHOWN if key in message.additional_kwargs},
        )
        for message in messages
        if message.id and (who := said_by(message, author))
    ]


def said_by(message: AnyMessage, author: str) -> tuple[Role, str] | None:
    """Role and name of the speaker; None for what the customer is not shown."""
    extra = message.additional_kwargs
    if isinstance(message, HumanMessage):
        return "customer", "customer"
    if not isinstance(message, AIMessage) or not (message.text or extra.get("cards")):
        return None
    return _speaker(extra, author)


def _speaker(extra: Json, author: str) -> tuple[Role, str]:
    return ("agent", extra.get("author") or "agent") if extra.get("role") == "agent" else ("assistant", author)


def as_told(message: Message) -> Json:
    """A kept line, in the shape in which every client gets it."""
    return {
        "id": message.id,
        "role": message.role,
        "author": message.author,
        "text": message.text,
        "cards": message.extra.get("cards", []),
        "citations": message.extra.get("citations", []),
        "sequence": message.sequence,
        "run_id": message.run,
        "created_at": message.created.isoformat(),
    }


def told_live(message: Json, author: str) -> Json | None:
    """The same shape from a message of the event log, where it is JSON already. None for what is not a reply."""
    extra = message.get("additional_kwargs") or {}
    text = text_of(message)
    if message.get("type") not in {"ai", "AIMessageChunk"} or not (text or extra.get("cards")):
        return None
    role, name = _speaker(extra, author)
    return {
        "id": message.get("id"),
        "role": role,
        "author": name,
        "text": text,
        "cards": extra.get("cards", []),
        "citations": extra.get("citations", []),
    }


def text_of(message: Json) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(block if isinstance(block, str) else block.get("text", "") for block in content)
