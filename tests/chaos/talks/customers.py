"""Customers with bad connections: they go away in mid-sentence, come back, and say again what nobody answered to."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from tests.chaos.talks.town import Town

PATIENCE_SECONDS = 120.0
"""After this a conversation counts as one that does not end."""
LEAVES = 0.08
"""How likely somebody is to go away after an event."""
IMPATIENT = 0.15
"""How likely somebody is to go away before the first one."""
MODES = (
    ("values",),
    ("updates", "custom"),
    ("messages-tuple", "values"),
    ("messages",),
    ("values", "updates", "messages-tuple", "custom"),
)
RECEIVED_ALREADY = 409


class Heard(NamedTuple):
    """An event as it came over the wire."""

    id: str
    name: str
    data: str


@dataclass(kw_only=True)
class Turn:
    text: str
    message: str = field(default_factory=lambda: str(uuid4()))
    run: str = ""
    heard: list[Heard] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return bool(self.heard) and self.heard[-1].name == "end"


@dataclass
class Counts:
    """What customers went through."""

    turns: int = 0
    events: int = 0
    left: int = 0
    broken: int = 0
    sent_away: int = 0
    refused: int = 0
    rejoined: int = 0
    said_again: int = 0
    ended: int = 0
    """Conversations."""


async def events_of(answer: httpx.Response) -> AsyncIterator[Heard]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and "event" in fields:
            yield Heard(fields.get("id", ""), fields["event"], fields.get("data", ""))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@dataclass(kw_only=True)
class Customer:
    town: Town
    http: httpx.AsyncClient
    chance: random.Random
    counts: Counts
    thread: str = field(default_factory=lambda: str(uuid4()))
    token: str = ""
    modes: tuple[str, ...] = ()
    turns: list[Turn] = field(default_factory=list)

    async def talks(self, texts: list[str], *, reads: float) -> None:
        """Says one after the other, and reads each answer for up to so many seconds."""
        self.modes = self.chance.choice(MODES)
        self.token = (await self._asks("POST", "/sessions"))["token"]
        for text in texts:
            self.turns.append(Turn(text=text))
            await self._says(self.turns[-1])
            if not self.turns[-1].ended:
                return
            await asyncio.sleep(self.chance.uniform(0, reads))
        self.counts.ended += 1

    async def _says(self, turn: Turn) -> None:
        self.counts.turns += 1
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                async with asyncio.timeout(self._patience()):
                    await self._listens(turn)
            except httpx.TransportError:
                self.counts.broken += 1
            except TimeoutError:
                self.counts.left += 1
            if turn.ended:
                return
            await asyncio.sleep(self.chance.uniform(0, 0.4))

    def _patience(self) -> float | None:
        return self.chance.uniform(0.01, 0.5) if self.chance.random() < IMPATIENT else None

    async def _listens(self, turn: Turn) -> None:
        """Up to the end, or until one of the two goes away."""
        async with self._stream(turn) as answer:
            if answer.status_code != 200:
                await self._is_refused(turn, answer.status_code)
                return
            turn.run = answer.headers["content-location"].rpartition("/")[2]
            async for event in events_of(answer):
                if event.name == "reconnect":
                    self.counts.sent_away += 1
                    return
                turn.heard.append(event)
                self.counts.events += 1
                if turn.ended:
                    return
                if self.chance.random() < LEAVES:
                    self.counts.left += 1
                    return

    def _stream(self, turn: Turn) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        if turn.run:
            self.counts.rejoined += 1
            headers["Last-Event-ID"] = turn.heard[-1].id if turn.heard else "-1"
            path = f"/threads/{self.thread}/runs/{turn.run}/stream"
            return self.http.stream("GET", self._at(path), headers=headers, params={"stream_mode": self.modes})
        body = {
            "assistant_id": "support",
            "input": {"messages": [{"role": "user", "content": turn.text, "id": turn.message}]},
            "stream_mode": list(self.modes),
            "if_not_exists": "create",
        }
        return self.http.stream("POST", self._at(f"/threads/{self.thread}/runs/stream"), json=body, headers=headers)

    async def _is_refused(self, turn: Turn, status: int) -> None:
        self.counts.refused += 1
        if status == RECEIVED_ALREADY:
            self.counts.said_again += 1
            known = {one.run for one in self.turns}
            runs = await self._asks("GET", f"/threads/{self.thread}/runs")
            turn.run = next((run["run_id"] for run in runs if run["run_id"] not in known), "")

    async def replays(self, turn: Turn) -> list[Heard]:
        """The run's events, read at one go; a connection may still be one to a server that was killed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while turn.run:
                with suppress(httpx.TransportError):
                    return await self._replay(turn.run)
        return []

    async def _replay(self, run: str) -> list[Heard]:
        headers = {"Authorization": f"Bearer {self.token}", "Last-Event-ID": "-1"}
        path = self._at(f"/threads/{self.thread}/runs/{run}/stream")
        async with self.http.stream("GET", path, headers=headers, params={"stream_mode": self.modes}) as answer:
            return [event async for event in events_of(answer.raise_for_status())]

    async def _asks(self, method: str, path: str) -> Any:
        """Ever again, until there is an answer."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    answer = await self.http.request(method, self._at(path), headers=headers)
                except httpx.TransportError:
                    self.counts.broken += 1
                else:
                    if answer.is_success:
                        return answer.json()
                    self.counts.refused += 1
                await asyncio.sleep(self.chance.uniform(0.05, 0.5))

    def _at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.chance.choice(list(self.town.servers))}{path}"
