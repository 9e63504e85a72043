"""Servers, workers and a Redis that keeps its data, to be killed, put to sleep and started anew."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.chaos.talks.nursery import Nursery, nursery
from tests.fixtures.redis import any_binary, free_port, wait_until_answering

START_SECONDS = 30.0


@dataclass
class KeptRedis:
    """Everything that it answered for is on the disk: what a crash of it may lose is told by `docs/growing.md`."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        kept = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        at = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self.process = subprocess.Popen([any_binary(), *at, *kept], stdout=subprocess.DEVNULL)
        wait_until_answering(self.url, seconds=START_SECONDS)

    def tell(self, sign: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(sign)

    async def restart(self, by: signal.Signals, *, away: float) -> None:
        """Ends it, and starts it on its data after so many seconds."""
        assert self.process
        self.tell(by)
        await asyncio.to_thread(self.process.wait, START_SECONDS)
        await asyncio.sleep(away)
        await asyncio.to_thread(self.start)

    async def pause(self, seconds: float) -> None:
        self.tell(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.tell(signal.SIGCONT)


@dataclass
class Town:
    nursery: Nursery
    redis: KeptRedis
    home: Path
    database_url: str
    servers: dict[int, int] = field(default_factory=dict)
    """Ports, and the processes that serve there."""
    workers: set[int] = field(default_factory=set)

    def open_server(self, port: int) -> None:
        self.servers[port] = self._born(port)

    def hire(self) -> int:
        worker = self._born(None)
        self.workers.add(worker)
        return worker

    def _born(self, port: int | None) -> int:
        place = {"home": str(self.home), "redis_url": self.redis.url, "database_url": self.database_url}
        return self.nursery.born(**place, port=port)

    async def ready(self) -> None:
        """Every server answers."""
        async with httpx.AsyncClient() as http:
            for port in self.servers:
                await _answers(http, f"http://127.0.0.1:{port}/ok")


def tell(process: int, sign: signal.Signals) -> None:
    """One of the town's, which keeps its id also when it has ended."""
    os.kill(process, sign)


async def _answers(http: httpx.AsyncClient, url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            (await http.get(url)).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
        else:
            return


@asynccontextmanager
async def town_of(folder: Path, database_url: str, *, servers: int, workers: int) -> AsyncIterator[Town]:
    kept = KeptRedis(folder)
    kept.start()
    try:
        with nursery(folder) as born:
            town = Town(born, kept, folder, database_url)
            town.open_server(free_port())
            await town.ready()  # it makes the ledger, and the key that all of them use
            for _ in range(servers - 1):
                town.open_server(free_port())
            for _ in range(workers):
                town.hire()
            await town.ready()
            yield town
    finally:
        kept.tell(signal.SIGCONT)
        kept.tell(signal.SIGKILL)
        assert kept.process
        kept.process.wait()
