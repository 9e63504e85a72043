"""Clients that stream runs over HTTP and look at the clock."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx


@dataclass
class Times:
    """Of runs; seconds."""

    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """Until the first byte of the stream."""
    token: list[float] = field(default_factory=list)
    """Until the first word of the model."""
    took: float = 0

    @property
    def per_second(self) -> float:
        return len(self.whole) / self.took


def ms(seconds: list[float], percent: int) -> float:
    return 1000 * (statistics.quantiles(seconds, n=100)[percent - 1] if len(seconds) > 1 else seconds[0])


@dataclass
class Client:
    http: httpx.AsyncClient
    assistant: str
    modes: tuple[str, ...] = ("values",)

    async def run(self, words: str, times: Times, opened: Callable[[], None] = lambda: None) -> None:
        """One message on a thread of its own, streamed to its end. `opened` is called at the first byte."""
        body: dict[str, Any] = {
            "assistant_id": self.assistant,
            "input": {"messages": [{"role": "human", "content": words}]},
            "if_not_exists": "create",
            "stream_mode": list(self.modes),
        }
        begun, first, token = time.perf_counter(), 0.0, 0.0
        async with self.http.stream("POST", f"/threads/{uuid4()}/runs/stream", json=body) as answer:
            if answer.status_code != 200:
                raise SystemExit(f"bench: {answer.status_code} {(await answer.aread())[:300]!r}")
            async for line in answer.aiter_lines():
                if not first:
                    first = time.perf_counter()
                    opened()
                if line.startswith("event: error"):
                    raise SystemExit(f"bench: the run failed: {line}")
                if not token and line.startswith("event: messages"):
                    token = time.perf_counter()
        times.whole.append(time.perf_counter() - begun)
        times.first.append(first - begun)
        times.token.append(token - begun)


async def at_once(concurrency: int, runs: int, run: Callable[[Times], Awaitable[None]]) -> Times:
    times, left = Times(), iter(range(runs))

    async def worker() -> None:
        for _ in left:
            await run(times)

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    times.took = time.perf_counter() - begun
    return times
