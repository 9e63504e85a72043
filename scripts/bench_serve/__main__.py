"""A graph of three steps over HTTP: on our server, on `langgraph dev`, and in one process without any server.

python -m scripts.bench_serve [--runs 200] [--streams 500,2000]

Each run is a message on a thread of its own, streamed to its end. The servers are processes of their own on loopback,
one at a time; they are asked in turns, twice, and the best pass counts. And open streams: as many customers at the same
moment as said, each waiting for a model that thinks for a second; and a few customers at a time, while as many
others as said wait for a model that thinks for minutes.
"""

import argparse
import asyncio
import tempfile
import time
from itertools import count as count_from
from pathlib import Path
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from rich.console import Console
from rich.table import Table

from scripts.bench_serve.clients import Times, at_once, ms
from scripts.bench_serve.graph import SECONDS, SLOW, State, builder
from scripts.bench_serve.servers import Server, customer, dev, ours

CONCURRENCY = (1, 8, 32)
PASSES, WARM_UP = 2, 10
ALONE = 5
"""One customer alone makes a fifth of the runs: `langgraph dev` takes a second for each."""
OURS, DEV, BARE = "counterfoil serve", "langgraph dev", "ainvoke, InMemorySaver"


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
                    several = runs if concurrency > 1 else runs // ALONE
                    take(name, concurrency, asyncio.run(served(server, concurrency, several)))
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
            table.add_row(
                f"{count:,}", f"{times.took:.1f}", *words, f"{1000 * SECONDS:,.0f}", _room(before, most, count)
            )
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


HELD_SECONDS, AT_THE_DOOR, FEW, PROBES = 600, 16, 4, 80


def held_table(folder: Path, count: int, console: Console) -> None:
    """What the server adds to a model's second when many others wait."""
    with ours(folder) as server:
        asyncio.run(served(server, 8, WARM_UP))
        alone = asyncio.run(_probed(server))
        before = server.resident
        among, most = asyncio.run(_held(server, count))
    table = Table(title="a few customers at a time: what is added to the model's second", title_justify="left")
    for column in ("", "first word p50 ms", "p95", "p99", "kB a stream"):
        table.add_column(column, justify="right" if column else "left")
    for name, times, room in (("alone", alone, "-"), (f"{count:,} others wait", among, _room(before, most, count))):
        added = [seconds - SECONDS for seconds in times.token]
        table.add_row(name, *(f"{ms(added, percent):,.0f}" for percent in (50, 95, 99)), room)
    console.print(table)


def _room(before: int, most: int, count: int) -> str:
    return f"{(most - before) / count / 1000:.0f}"


async def _probed(server: Server) -> Times:
    async with customer(server, "messages-tuple") as client:
        return await at_once(FEW, PROBES, lambda times: client.run(SLOW, times))


async def _held(server: Server, count: int) -> tuple[Times, int]:
    door, all_wait, inside = asyncio.Semaphore(AT_THE_DOOR), asyncio.Event(), count_from(1)

    def enter() -> None:
        door.release()
        if next(inside) == count:
            all_wait.set()

    async with customer(server, "messages-tuple") as client:

        async def wait() -> None:
            await door.acquire()
            await client.run(f"{SLOW} {HELD_SECONDS}", Times(), enter)

        others = [asyncio.create_task(wait()) for _ in range(count)]
        await all_wait.wait()
        times, most = await _probed(server), server.resident
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    return times, most


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=200)
    arguments.add_argument("--streams", default="32,500,2000", help="how many at once, with commas")
    arguments.add_argument("--held", type=int, default=500, help="how many others wait")
    given = arguments.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
        held_table(Path(folder), given.held, console)
        streams_table(Path(folder), [int(count) for count in given.streams.split(",")], console)
        runs_table(Path(folder), given.runs, console)


if __name__ == "__main__":
    main()
