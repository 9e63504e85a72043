"""A server that carries out nothing, workers in processes of their own, and somebody who follows a run."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import redis

from tests.e2e.world import World
from tests.fixtures.redis import any_binary, running_server
from tests.server.sse import Sent, all_of, sent

PATIENCE_SECONDS = 60.0
STEP_BEGINS_SECONDS = 0.7
STREAM, GROUP = "counterfoil:stream", "docket-workers"


@dataclass
class Crew:
    world: World
    redis_url: str
    workers: "dict[int, subprocess.Popen[str]]" = field(default_factory=dict)

    def hire(self, *options: str) -> None:
        """Starts one more, and waits until it is ready."""
        process, _ = self.world.started("worker", *options)
        # What it logs has to be read, or it would wait for that once the pipe is full.
        Thread(target=process.communicate, daemon=True).start()
        self.workers[process.pid] = process

    async def amid(self, talk: "Talk") -> int:
        """The worker that has the only run, as soon as it is amid a step of it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not talk.events:  # noqa: ASYNC110 - there is no event between processes
                await asyncio.sleep(0.02)
        await asyncio.sleep(STEP_BEGINS_SECONDS)
        with redis.Redis.from_url(self.redis_url, decode_responses=True) as client:
            # Tasks that are under way, as docket keeps them, and whose they are.
            pending: Any = client.xpending_range(STREAM, GROUP, "-", "+", 10)
        return int(pending[0]["consumer"].partition("#")[2])

    async def end(self, pid: int, by: signal.Signals) -> int:
        """Exit code."""
        process = self.workers.pop(pid)
        process.send_signal(by)
        return await asyncio.to_thread(process.wait, PATIENCE_SECONDS)


@contextmanager
def crew_of(world: World, folder: Path, *workers: Sequence[str]) -> Iterator[Crew]:
    """One worker for each list of options."""
    with running_server(any_binary(), folder) as url:
        world.environment["REDIS_URL"] = url
        world.options = ("--no-worker",)
        world.start()
        crew = Crew(world, url)
        try:
            with ThreadPoolExecutor() as side_by_side:
                list(side_by_side.map(lambda options: crew.hire(*options), workers))
            yield crew
        finally:
            for process in crew.workers.values():
                process.kill()
            world.stop()


@dataclass
class Talk:
    """One run, as somebody sees it."""

    http: httpx.AsyncClient
    thread: str
    events: list[Sent] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def follow(self, text: str) -> None:
        said = {"messages": [{"role": "user", "content": text}]}
        modes = ["values", "updates", "messages-tuple", "custom"]
        body = {"assistant_id": "support", "input": said, "stream_mode": modes}
        async with self.http.stream("POST", f"/threads/{self.thread}/runs/stream", json=body) as answer:
            assert 200 == answer.status_code, await answer.aread()
            async for event in sent(answer):
                self.events.append(event)
                self.times.append(time.monotonic())

    def tries(self) -> list[float]:
        """When each worker took the run up."""
        return [at for at, one in zip(self.times, self.events, strict=True) if one.event == "metadata"]

    async def after(self, last: str | None) -> list[Sent]:
        """What is read from there to the end."""
        path = f"/threads/{self.thread}/runs/{self.events[0].data['run_id']}/stream"
        return await all_of(self.http, "GET", path, headers={"Last-Event-ID": str(last)})

    async def lines(self) -> list[dict[str, Any]]:
        return list((await self.http.get(f"/threads/{self.thread}/messages")).raise_for_status().json())


@asynccontextmanager
async def talking(crew: Crew, text: str) -> AsyncIterator[tuple[Talk, "asyncio.Task[None]"]]:
    """Somebody new says it, and follows; the task is over with the stream."""
    async with httpx.AsyncClient(base_url=crew.world.url, timeout=PATIENCE_SECONDS) as http:
        token = (await http.post("/sessions")).raise_for_status().json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        thread = (await http.post("/threads", json={})).raise_for_status().json()["thread_id"]
        talk = Talk(http, thread)
        following = asyncio.create_task(talk.follow(text))
        yield talk, following
        await following
