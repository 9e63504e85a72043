"""Reads protocol v2 with the transport of the official SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.stream.transport import ProtocolSseTransport

from server.runs.transcript import text_of

Told = dict[str, Any]
CHANNELS = ["values", "updates", "messages", "custom", "lifecycle", "input", "tools", "tasks", "checkpoints"]
SETTLED = {"completed", "failed", "interrupted"}


def said(text: str) -> Told:
    return {"messages": [{"role": "human", "content": text}]}


def phase(event: Told) -> str | None:
    return event["params"]["data"]["event"] if event["method"] == "lifecycle" else None


def phases(told: list[Told]) -> list[str]:
    return [name for event in told if (name := phase(event))]


def data_of(told: list[Told], method: str) -> list[Any]:
    return [event["params"]["data"] for event in told if event["method"] == method]


def contents(values: Any) -> list[str]:
    """What was said, by replies in blocks of text too."""
    return [text_of(message) for message in values["messages"]]


async def until_settled(events: AsyncIterator[Any], runs: int = 1) -> list[Told]:
    """Up to the end of the run, or of several."""
    told: list[Told] = []
    async with asyncio.timeout(15):
        async for event in events:
            told.append(event)
            runs -= phase(event) in SETTLED
            if not runs:
                return told
    raise AssertionError(f"the stream ended after {told}")


async def first(events: AsyncIterator[Any], most: int) -> list[Told]:
    told: list[Told] = []
    async with asyncio.timeout(15):
        async for event in events:
            told.append(event)
            if len(told) == most:
                return told
    raise AssertionError(f"the stream ended after {told}")


async def read(
    client: httpx.AsyncClient, thread: str, *, runs: int = 1, most: int | None = None, **wanted: Any
) -> list[Told]:
    """The events of a thread up to the end of so many runs, or so many events, on a connection of its own."""
    transport = ProtocolSseTransport(client=client, thread_id=thread)
    events = transport.open_event_stream({"channels": CHANNELS, "since": 0, **wanted}).events
    try:
        return await (first(events, most) if most else until_settled(events, runs))
    finally:
        await transport.close()


async def begun(sdk: LangGraphClient, text: str, thread: str | None = None) -> str:
    """A thread on which this was said."""
    async with sdk.threads.stream(thread, assistant_id="support") as stream:
        await stream.run.start(input=said(text))
        return stream.thread_id
