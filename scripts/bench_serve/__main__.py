"""A graph of three steps over HTTP: on our server, on `langgraph dev`, and in one process without any server.

python -m scripts.bench_serve [--runs 200] [--streams 500,2000]

Each run is a message on a thread of its own, streamed to its end. The servers are processes of their own on loopback,
one at a time; they are asked in turns, three times, and the best pass counts. And open streams: as many customers at
the same time as said, each waiting for a model that thinks for a second.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from rich.console import Console
from rich.table import Table

from scripts.bench_serve.clients import Client, Times, at_once, ms
from scripts.bench_serve.graph import SECONDS, SLOW, State, builder
from tests.fixtures.redis import any_binary, free_port, running_server

ROOT = Path(__file__).resolve().parent.parent.parent
CONCURRENCY = (1, 8, 32)
PASSES, WARM_UP = 3, 20
PATIENCE_SECONDS = 90.0
OURS, DEV, BARE = "counterfoil serve", "langgraph dev", "ainvoke, InMemorySaver"


@dataclass
class Server:
    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def resident(self) -> int:
        """Bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def started(*command: str, port: int, cwd: Path, **environment: str) -> Iterator[Server]:
    log = cwd / "server.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(  # noqa: S603 - our own servers
            [sys.executable, *command], cwd=cwd, stdout=said, stderr=said, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + PATIENCE_SECONDS
            while not _answers(url):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"bench: {command[:3]} did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield Server(url, process)
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ok", timeout=1).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    home, port = folder / uuid4().hex, free_port()
    home.mkdir()
    with running_server(any_binary(), home) as redis_url:
        command = ("-m", "scripts.bench_serve.app", str(home), redis_url, str(port))
        with started(*command, port=port, cwd=home, PYTHONPATH=str(ROOT)) as server:
            yield server


@contextmanager
def dev(folder: Path) -> Iterator[Server]:
    home, port = folder / uuid4().hex, free_port()
    home.mkdir()
    graphs = {"support": "scripts.bench_serve.graph:graph"}
    (home / "langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs}))
    command = ("-m", "langgraph_cli", "dev", "--no-browser", "--no-reload", "--port", str(port))
    with started(*command, port=port, cwd=home, PYTHONPATH=str(ROOT), LANGGRAPH_CLI_NO_ANALYTICS="1") as server:
        yield server


@asynccontextmanager
async def customer(server: Server, *modes: str) -> AsyncIterator[Client]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS, limits=limits) as http:
        session = await http.post("/sessions")
        if session.is_success:
            http.headers["Authorization"] = f"Bearer {session.json()['token']}"
        yield Client(http, "support", modes or ("values",))


async def bare(concurrency: int, runs: int) -> Times:
    graph = builder.compile(checkpointer=InMemorySaver())

    async def run(times: Times) -> None:
        begun = time.perf_counter()
        given = State(messages=[HumanMessage("hello")])
        await graph.ainvoke(given, {"configurable": {"thread_id": str(uuid4())}})
        times.whole.append(time.perf_counter() - begun)

    await at_once(concurrency, WARM_UP, run)
    return await at_once(concurrency, runs, run)


async def served(server: Server, concurrency: int, runs: int) -> Times:
    async with customer(server) as client:
        await at_once(concurrency, WARM_UP, lambda times: client.run("hello", times))
        return await at_once(concurrency, runs, lambda times: client.run("hello", times))


def runs_table(folder: Path, runs: int, console: Console) -> None:
    best: dict[tuple[str, int], Times] = {}

    def take(name: str, concurrency: int, found: Times) -> None:
        kept = best.get((name, concurrency))
        if kept is None or found.per_second > kept.per_second:
            best[name, concurrency] = found

    for turn in range(PASSES):
        for concurrency in CONCURRENCY:
            take(BARE, concurrency, asyncio.run(bare(concurrency, runs)))
        for name, place in ((OURS, ours), (DEV, dev)):
            with place(folder) as server:
                for concurrency in CONCURRENCY:
                    take(name, concurrency, asyncio.run(served(server, concurrency, runs)))
        console.print(f"[dim]pass {turn + 1} of {PASSES}: done")

    table = Table(title="runs of three steps, each on a new thread, streamed", title_justify="left")
    for column in ("", "at", "runs/s", "p50 ms", "p99 ms", "first byte p50", "p99"):
        table.add_column(column, justify="right" if column else "left")
    for (name, concurrency), times in best.items():
        first = [f"{ms(times.first, percent):.1f}" for percent in (50, 99)] if times.first else ["-", "-"]
        whole = [f"{ms(times.whole, percent):.1f}" for percent in (50, 99)]
        table.add_row(name, str(concurrency), f"{times.per_second:.0f}", *whole, *first)
    console.print(table)
    ratios = [f"{best[OURS, c].per_second / best[DEV, c].per_second:.2f} at {c}" for c in CONCURRENCY]
    console.print(f"runs/s of {OURS} over {DEV}: {', '.join(ratios)}")


def streams_table(folder: Path, counts: list[int], console: Console) -> None:
    table = Table(title=f"open streams, each on a model that thinks for {SECONDS:g} s", title_justify="left")
    for column in ("streams", "took s", "first word p50 ms", "p95", "p99", "the model's own", "kB a stream"):
        table.add_column(column, justify="right")
    for count in counts:
        with ours(folder) as server:
            asyncio.run(served(server, 8, WARM_UP))
            before = server.resident
            times, most = asyncio.run(_streamed(server, count))
            words = [f"{ms(times.token, percent):,.0f}" for percent in (50, 95, 99)]
            room = f"{(most - before) / count / 1000:.0f}"
            table.add_row(f"{count:,}", f"{times.took:.1f}", *words, f"{1000 * SECONDS:,.0f}", room)
    console.print(table)


async def _streamed(server: Server, count: int) -> tuple[Times, int]:
    """What the clients saw, and the most memory that the server had meanwhile."""
    most, over = server.resident, asyncio.Event()

    async def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, server.resident)
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    async with customer(server, "messages-tuple") as client:
        times = await at_once(count, count, lambda times: client.run(SLOW, times))
    over.set()
    await watching
    return times, most


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=200)
    arguments.add_argument("--streams", default="32,500,2000", help="how many at once, with commas")
    given = arguments.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
        streams_table(Path(folder), [int(count) for count in given.streams.split(",")], console)
        runs_table(Path(folder), given.runs, console)


if __name__ == "__main__":
    main()
