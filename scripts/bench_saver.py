"""The Redis saver beside others, on the same graphs and the same machine, in one run.

python -m scripts.bench_saver [--turns 500] [--runs 300]

Redis and PostgreSQL are servers of their own on loopback. Every saver is asked in turns, five times; the best pass
counts: what else the machine does makes nobody faster.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

import asyncpg
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph_checkpoint_aws import AsyncValkeySaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table
from typing_extensions import TypedDict

from graphs.redis_saver import CompressingSerializer, RedisSaver
from nodes.state import MESSAGES_IN_STATE, latest_messages
from scripts.counting_proxy import CountingProxy
from tests.fixtures.ledger import running_postgres
from tests.fixtures.redis import any_binary, running_server

Graph = CompiledStateGraph[Any, Any, Any, Any]
Saver = BaseCheckpointSaver[Any]
Opened = AsyncIterator["Place"]
# Not all of the others are typed, and none is there where only the tests are set up.
SQLITE: Any = AsyncSqliteSaver
POSTGRES: Any = AsyncPostgresSaver
VALKEY: Any = AsyncValkeySaver
ROW: Any = dict_row
POOL: Any = AsyncConnectionPool

CONCURRENCY = (1, 8, 32)
MARKS = (50, 100, 500)
STEPS = 3
PASSES = 5
WORDS = [f"{random.Random(n).getrandbits(32):x}"[: 2 + n % 7] for n in range(2000)]  # noqa: S311 - text, no secret
TURN = 800
"""Characters that a turn adds, question and answer together."""


@dataclass
class Place:
    """A saver, and how to look at what it has written."""

    saver: Saver
    size: Callable[[], Any] | None = None
    """Bytes and keys (rows), as the server counts them."""
    again: Callable[[], Any] | None = None
    """Another saver on the same place, with nothing in its memory."""


class Count(TypedDict):
    number: int


def three_steps(saver: Saver) -> Graph:
    async def step(state: Count) -> Any:
        return {"number": state["number"] + 1}

    builder = StateGraph(Count)
    for name in ("a", "b", "c"):
        builder.add_node(name, step)
    for before, after in ((START, "a"), ("a", "b"), ("b", "c"), ("c", END)):
        builder.add_edge(before, after)
    return builder.compile(checkpointer=saver)


def fold(state: list[AnyMessage], writes: list[list[AnyMessage]]) -> list[AnyMessage]:
    for write in writes:
        state = cast("list[AnyMessage]", add_messages(cast("Any", state), cast("Any", write)))
    return state


class Whole(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class Delta(TypedDict):
    messages: Annotated[list[AnyMessage], DeltaChannel(cast("Any", fold), list, snapshot_frequency=50)]


class Latest(TypedDict):
    """As the support graph has it."""

    messages: Annotated[list[AnyMessage], latest_messages]


def conversation(saver: Saver, state: type) -> Graph:
    chance = random.Random(3)  # noqa: S311 - text, no secret

    async def answer(_: Any) -> Any:
        return {"messages": [AIMessage(said(chance, TURN // 2), id=uuid4().hex)]}

    builder: Any = StateGraph(cast("Any", state))
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return cast("Graph", builder.compile(checkpointer=saver))


def said(chance: random.Random, length: int) -> str:
    words = ""
    while len(words) < length:
        words += chance.choice(WORDS) + " "
    return words[:length]


def on(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}


@dataclass
class Speed:
    """Runs of `three_steps`, each on a thread of its own."""

    per_second: float
    p50: float
    p99: float

    @classmethod
    async def measured(cls, graph: Graph, runs: int, concurrency: int) -> "Speed":
        taken: list[float] = []
        left = iter(range(runs))

        async def worker() -> None:
            for _ in left:
                begun = time.perf_counter()
                await graph.ainvoke({"number": 0}, on(uuid4().hex))
                taken.append(time.perf_counter() - begun)

        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        whole = time.perf_counter() - begun
        return cls(runs / whole, 1000 * statistics.median(taken), 1000 * statistics.quantiles(taken, n=100)[98])


@dataclass
class Growth:
    """One conversation that gets longer."""

    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    resume: float = 0

    @property
    def ratio(self) -> float:
        """Last turns over the first, after a few that warm up what is slow once."""
        return _undisturbed(self.seconds[-40:]) / _undisturbed(self.seconds[5:25])

    @classmethod
    async def measured(cls, place: Place, state: type, turns: int) -> "Growth":
        found, chance = cls(), random.Random(5)  # noqa: S311 - text, no secret
        graph = conversation(place.saver, state)
        empty = await place.size() if place.size else (0, 0)
        for turn in range(1, turns + 1):
            question = HumanMessage(said(chance, TURN // 2), id=uuid4().hex)
            begun = time.perf_counter()
            await graph.ainvoke({"messages": [question]}, on("long"))
            found.seconds.append(time.perf_counter() - begun)
            if turn in MARKS and place.size:
                now = await place.size()
                found.sizes[turn] = (now[0] - empty[0], now[1] - empty[1])
        if place.again:
            async with place.again() as saver:
                begun = time.perf_counter()
                snapshot = await conversation(saver, state).aget_state(on("long"))
                found.resume = 1000 * (time.perf_counter() - begun)
                wanted = min(2 * turns, MESSAGES_IN_STATE if state is Latest else 2 * turns)
                assert len(snapshot.values["messages"]) == wanted  # noqa: S101 - a saver that forgets is no peer
        return found


def _undisturbed(seconds: list[float]) -> float:
    """The lower quartile: what else the machine does makes no turn faster."""
    return statistics.quantiles(seconds, n=4)[0]


@asynccontextmanager
async def memory(_: "Servers") -> Opened:
    yield Place(InMemorySaver())


@asynccontextmanager
async def sqlite(servers: "Servers") -> Opened:
    file = servers.folder / f"{uuid4().hex}.db"

    async def size() -> tuple[int, int]:
        await saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = 0
        for table in ("checkpoints", "writes"):
            async with saver.conn.execute(f"SELECT count(*) FROM {table}") as cursor:  # noqa: S608 - two names
                rows += (await cursor.fetchone())[0]
        return file.stat().st_size, rows

    async with SQLITE.from_conn_string(str(file)) as saver:
        await saver.setup()
        yield Place(saver, size, lambda: SQLITE.from_conn_string(str(file)))


@asynccontextmanager
async def postgres(servers: "Servers") -> Opened:
    name = f"bench_{uuid4().hex}"
    admin = await asyncpg.connect(f"{servers.postgres}/postgres")
    await admin.execute(f"CREATE DATABASE {name}")
    url = f"{servers.through_proxy(servers.postgres)}/{name}"

    async def size() -> tuple[int, int]:
        inside = await asyncpg.connect(f"{servers.postgres}/{name}")
        tables = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
        found = [
            (
                await inside.fetchval("SELECT pg_total_relation_size($1::regclass)", table),
                await inside.fetchval(f"SELECT count(*) FROM {table}"),  # noqa: S608 - three names
            )
            for table in tables
        ]
        await inside.close()
        return sum(one[0] for one in found), sum(one[1] for one in found)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Saver]:
        options = {"autocommit": True, "prepare_threshold": 0, "row_factory": ROW}
        pool = POOL(url, min_size=1, max_size=40, kwargs=options, open=False)
        async with pool:
            yield POSTGRES(pool)

    async with opened() as saver:
        await cast("Any", saver).setup()
        yield Place(saver, size, opened)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def redis_size(url: str) -> tuple[int, int]:
    async with Redis.from_url(url) as client:
        found = await client.info("memory")
        return int(found["used_memory"]), int(await client.dbsize())


@asynccontextmanager
async def valkey(servers: "Servers") -> Opened:
    url = servers.through_proxy(servers.redis)
    async with Redis.from_url(servers.redis) as client:
        await client.flushall()

    def again() -> Any:
        return VALKEY.from_conn_string(url, pool_size=200)

    async with again() as saver:
        yield Place(saver, lambda: redis_size(servers.redis), again)


@asynccontextmanager
async def ours(servers: "Servers", **options: Any) -> Opened:
    url = servers.through_proxy(servers.redis)
    async with Redis.from_url(servers.redis) as client:
        await client.flushall()

    def again() -> Any:
        return RedisSaver.from_url(url, **options)

    async with again() as saver:
        yield Place(saver, lambda: redis_size(servers.redis), again)


def compressed(servers: "Servers") -> Any:
    return ours(servers, serde=CompressingSerializer())


def bounded(servers: "Servers") -> Any:
    """As the server has it, but for the seal."""
    return ours(servers, serde=CompressingSerializer(), keep_last=100)


SAVERS: dict[str, Callable[["Servers"], Any]] = {
    "RedisSaver": ours,
    "RedisSaver, zstd": compressed,
    "RedisSaver, zstd, 100 kept": bounded,
    "InMemorySaver": memory,
    "AsyncSqliteSaver": sqlite,
    "AsyncPostgresSaver": postgres,
    "AsyncValkeySaver": valkey,
}


@dataclass
class Servers:
    redis: str
    postgres: str
    folder: Path
    proxies: dict[str, CountingProxy] = field(default_factory=dict)
    counting: bool = False

    def through_proxy(self, url: str) -> str:
        """The same place behind the counter of round trips, while that is wanted."""
        if not self.counting:
            return url
        parts = urlsplit(url)
        user = f"{parts.username}@" if parts.username else ""
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self.proxies[url].port}"))

    @property
    def trips(self) -> int:
        return sum(proxy.trips for proxy in self.proxies.values())


async def speeds(servers: Servers, runs: int, say: Console) -> dict[str, dict[int, Speed]]:
    best: dict[str, dict[int, Speed]] = {name: {} for name in SAVERS}
    for concurrency in CONCURRENCY:
        for _ in range(PASSES):
            for name, opened in SAVERS.items():
                async with opened(servers) as place:
                    graph = three_steps(place.saver)
                    await Speed.measured(graph, 20, concurrency)
                    found = await Speed.measured(graph, runs, concurrency)
                kept = best[name].get(concurrency)
                if kept is None or found.per_second > kept.per_second:
                    best[name][concurrency] = found
        say.print(f"[dim]runs at {concurrency}: done")
    return best


async def round_trips(servers: Servers) -> dict[str, float]:
    servers.counting = True
    found = {}
    async with AsyncExitStack() as stack:
        for url in (servers.redis, servers.postgres):
            servers.proxies[url] = await stack.enter_async_context(CountingProxy.before(url))
        for name, opened in SAVERS.items():
            async with opened(servers) as place:
                graph = three_steps(place.saver)
                await graph.ainvoke({"number": 0}, on("warm"))
                before = servers.trips
                for number in range(20):
                    await graph.ainvoke({"number": 0}, on(f"counted {number}"))
                found[name] = (servers.trips - before) / 20 / STEPS
    servers.counting = False
    return found


async def bench(turns: int, runs: int) -> None:
    console = Console(width=150)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bench-saver-"))
        stack.callback(shutil.rmtree, folder)
        servers = Servers(
            stack.enter_context(running_server(any_binary(), folder)), stack.enter_context(running_postgres()), folder
        )
        trips = await round_trips(servers)
        show_speeds(console, await speeds(servers, runs, console), trips)
        for title, state in (
            ("messages whole in each checkpoint", Whole),
            ("messages in a DeltaChannel", Delta),
            (f"the last {MESSAGES_IN_STATE} messages", Latest),
        ):
            grown = {}
            for name, opened in SAVERS.items():
                async with opened(servers) as place:
                    grown[name] = await Growth.measured(place, state, turns)
                console.print(f"[dim]{turns} turns, {title}, {name}: done")
            show_growth(console, title, grown)


def show_speeds(console: Console, found: dict[str, dict[int, Speed]], trips: dict[str, float]) -> None:
    table = Table(title=f"runs of {STEPS} steps, each on a new thread")
    for column in (
        "saver",
        "trips/step",
        *(f"{what} at {c}" for c in CONCURRENCY for what in ("runs/s", "p50 ms", "p99")),
    ):
        table.add_column(column, justify="left" if column == "saver" else "right", no_wrap=column == "saver")
    for name, rows in found.items():
        cells = [
            f"{value:.0f}" if n == 0 else f"{value:.1f}"
            for c in CONCURRENCY
            for n, value in enumerate(vars(rows[c]).values())
        ]
        table.add_row(name, f"{trips[name]:.1f}" if trips[name] else "-", *cells)
    console.print(table)
    mine = found["RedisSaver"]
    for peer in ("InMemorySaver", "AsyncPostgresSaver", "AsyncValkeySaver"):
        ratios = ", ".join(f"{mine[c].per_second / found[peer][c].per_second:.2f} at {c}" for c in CONCURRENCY)
        console.print(f"runs/s of RedisSaver over {peer}: {ratios}")


def show_growth(console: Console, title: str, found: dict[str, Growth]) -> None:
    table = Table(title=f"one conversation of {TURN} characters a turn, {title}")
    marks = [mark for mark in MARKS if any(mark in one.sizes for one in found.values())]
    for column in (
        "saver",
        *(f"{mark} turns: KB" for mark in marks),
        "keys or rows",
        "last turn / first",
        "ms",
        "resume ms",
    ):
        table.add_column(column, justify="left" if column == "saver" else "right", no_wrap=column == "saver")
    for name, one in found.items():
        sizes = [f"{one.sizes[mark][0] / 1024:,.0f}" if mark in one.sizes else "-" for mark in marks]
        keys = f"{one.sizes[marks[-1]][1]:,}" if one.sizes else "-"
        last = f"{1000 * _undisturbed(one.seconds[-40:]):.1f}"
        table.add_row(name, *sizes, keys, f"{one.ratio:.2f}", last, f"{one.resume:.1f}" if one.resume else "-")
    console.print(table)
    if marks:
        peer = found["AsyncValkeySaver"].sizes[marks[-1]][0]
        for name in ("RedisSaver", "RedisSaver, zstd", "RedisSaver, zstd, 100 kept"):
            ratio = peer / found[name].sizes[marks[-1]][0]
            console.print(f"bytes of AsyncValkeySaver over {name} at {marks[-1]} turns: {ratio:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--runs", type=int, default=300)
    asyncio.run(bench(**vars(parser.parse_args())))
