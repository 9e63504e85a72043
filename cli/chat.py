"""`counterfoil chat`: a terminal client on the same HTTP API that every customer uses."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from graphs.settings import Settings
from tools.errors import CounterfoilError, Unavailable

TIMEOUT = httpx.Timeout(10, read=None)


async def run(url: str | None, console: Console) -> None:
    """Talks until Ctrl-D. Raises `Unavailable` when no server answers."""
    base = url or f"http://127.0.0.1:{Settings.read().port}"
    async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT) as http:
        http.headers["Authorization"] = f"Bearer {await _session(http, base)}"
        console.print("[dim]You are talking to an automated assistant. Ctrl-D ends the conversation.[/]")
        await _converse(http, console)


async def _session(http: httpx.AsyncClient, base: str) -> str:
    try:
        answer = await http.post("/sessions")
    except httpx.TransportError as error:
        raise Unavailable(f"No server answers on {base}. Start one with `make run`.") from error
    answer.raise_for_status()
    return str(answer.json()["token"])


async def _converse(http: httpx.AsyncClient, console: Console) -> None:
    thread: str | None = None
    shown: set[str] = set()
    listening: asyncio.Task[None] | None = None
    try:
        while (text := await _ask()) is not None:
            thread = await _say(http, console, text, thread, shown) or thread
            if thread and listening is None:
                listening = asyncio.create_task(_listen(http, console, thread, shown))
    finally:
        if listening:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


async def _ask() -> str | None:
    try:
        return await asyncio.to_thread(input, "\nyou > ")
    except EOFError:
        return None


async def _say(http: httpx.AsyncClient, console: Console, text: str, thread: str | None, shown: set[str]) -> str | None:
    """Sends one message and prints what comes back as it comes. Returns the thread's id."""
    body = {"message": text, **({"thread_id": thread} if thread else {})}
    async with http.stream("POST", "/chat", json=body) as answer:
        if answer.is_error:
            problem = json.loads(await answer.aread())
            console.print(f"[yellow]{escape(str(problem.get('detail', 'That did not work.')))}[/]")
            return None
        written = ""
        async for event, data in events(answer):
            match event:
                case "metadata":
                    thread = data["thread_id"]
                case "status":
                    console.print(f"[dim]… {escape(data['text'])}[/]")
                case "token":
                    console.print(("\nacme > " if not written else "") + escape(data["text"]), end="", highlight=False)
                    written += data["text"]
                case "message":
                    if data["role"] != "customer" and data["id"] not in shown and not written:
                        _print(console, data)
                    shown.add(data["id"])
                case "error":
                    console.print(f"\n[yellow]{escape(data['message'])}[/]")
                case _:
                    pass
        console.print()
    return thread


async def _listen(http: httpx.AsyncClient, console: Console, thread: str, shown: set[str]) -> None:
    """Prints what a person or a notice says while nobody is asking. Gives up quietly when the server is gone."""
    with contextlib.suppress(httpx.HTTPError, CounterfoilError):
        while True:
            await asyncio.sleep(1)
            answer = await http.get(f"/threads/{thread}/messages")
            for message in answer.json() if answer.is_success else []:
                if message["role"] in {"agent", "notice"} and message["id"] not in shown:
                    _print(console, message)
                shown.add(message["id"])


def _print(console: Console, message: dict[str, Any]) -> None:
    console.print(f"\n{escape(str(message.get('author') or 'acme'))} > {escape(message['text'])}", highlight=False)


async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Server-sent events as (name, decoded data). Comments and ids are passed over."""
    name, data = "message", ""
    async for line in answer.aiter_lines():
        if not line:
            if data:
                yield name, json.loads(data)
            name, data = "message", ""
        elif line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data += line.removeprefix("data:").strip()
