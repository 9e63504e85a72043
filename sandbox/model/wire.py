"""Answers in the shapes of the chat completions API, whole and as server-sent events."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

from sandbox.model.asked import Asked
from sandbox.model.moods import Answer

Json = dict[str, Any]
CHARACTERS_PER_TOKEN = 4


def completion(asked: Asked, answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.tool:
        call = {"name": answer.tool, "arguments": answer.text}
        message |= {"content": None, "tool_calls": [{"id": _id("call"), "type": "function", "function": call}]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
    return {**_head(asked, "chat.completion"), "choices": [choice], "usage": _usage(asked, answer)}


def events(asked: Asked, answer: Answer) -> Iterator[bytes]:
    """One event for each token, then the finish, the usage if asked for, and `[DONE]`."""
    head = {**_head(asked, "chat.completion.chunk"), **({"usage": None} if asked.counts_usage else {})}
    yield _event({**head, "choices": [_choice({"role": "assistant", "content": ""})]})
    call = {"index": 0, "id": _id("call"), "type": "function", "function": {"name": answer.tool, "arguments": ""}}
    if answer.tool:
        yield _event({**head, "choices": [_choice({"tool_calls": [call]})]})
    for token in answer.tokens[: answer.lost_after]:
        yield _event({**head, "choices": [_choice(_delta(answer, token))]})
    if answer.lost_after is not None:
        return
    if finish := _finish(answer):
        yield _event({**head, "choices": [_choice({}, finish)]})
    if asked.counts_usage:
        yield _event({**head, "choices": [], "usage": _usage(asked, answer)})
    yield b"data: [DONE]\n\n"


def failure(message: str, status: int) -> Json:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _head(asked: Asked, kind: str) -> Json:
    return {"id": _id("chatcmpl"), "object": kind, "created": int(time.time()), "model": asked.model}


def _choice(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _delta(answer: Answer, token: str) -> Json:
    return {"tool_calls": [{"index": 0, "function": {"arguments": token}}]} if answer.tool else {"content": token}


def _finish(answer: Answer) -> str | None:
    return "tool_calls" if answer.tool and answer.finish_reason == "stop" else answer.finish_reason


def _usage(asked: Asked, answer: Answer) -> Json:
    asked_for = len(json.dumps(asked.messages)) // CHARACTERS_PER_TOKEN
    said = len(answer.text) // CHARACTERS_PER_TOKEN
    return {"prompt_tokens": asked_for, "completion_tokens": said, "total_tokens": asked_for + said}


def _event(data: Json) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(8)}"
