"""What one turn of a conversation costs when the conversation is long: a real server, asked over HTTP.

python -m scripts.bench_turns [--turns 500]

A customer proves who they are, then asks about invoices and policies in turns. Printed: how long a turn takes from the
message to the end of its stream, how long it takes to read the state anew, and what Redis holds of the thread.
"""

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from rich.console import Console
from rich.table import Table

from tests.e2e.world import Customer, running, warm
from tests.fixtures.redis import any_binary, running_server

WISHES = (
    "When is my next invoice due?",
    "How long do refunds take to arrive?",
    "Show me my latest invoice please.",
    "What is your policy on late fees?",
)
WARM_UP, SPAN = 8, 20
EMAIL = "ada@example.com"


@dataclass(frozen=True)
class Span:
    """Some turns in a row."""

    first: int
    turn: float
    """Median, milliseconds; so is `read`."""
    read: float
    keys: int
    checkpoint_bytes: int
    event_bytes: int


class Talk:
    def __init__(self, customer: Customer, client: "redis.Redis") -> None:
        self._customer, self._client = customer, client
        self._said = 0

    def turn(self) -> float:
        wish = WISHES[self._said % len(WISHES)]
        self._said += 1
        if limits := list(self._client.scan_iter(match="limits:*", count=1000)):
            self._client.delete(*limits)  # nobody talks as fast as this
        started = time.perf_counter()
        reply = self._customer.says(wish)
        took = time.perf_counter() - started
        if not reply.text:
            raise SystemExit(f"bench: there was no answer to turn {self._said}: {reply.events[-3:]}")
        return took * 1000

    def read(self) -> float:
        started = time.perf_counter()
        self._customer.http.get(f"/threads/{self._customer.thread}/state").raise_for_status()
        return (time.perf_counter() - started) * 1000

    def span(self) -> Span:
        """The next `SPAN` turns."""
        first = self._said + 1
        turns = [self.turn() for _ in range(SPAN)]
        reads = [self.read() for _ in range(SPAN)]
        sizes = {key: self._client.memory_usage(key, samples=0) or 0 for key in self._keys()}
        of_saver = {key for key in sizes if key.startswith(b"checkpoint:")}
        return Span(
            first=first,
            turn=statistics.median(turns),
            read=statistics.median(reads),
            keys=len(sizes),
            checkpoint_bytes=sum(sizes[key] for key in of_saver),
            event_bytes=sum(size for key, size in sizes.items() if key not in of_saver),
        )

    def talk_until(self, turn: int) -> None:
        while self._said < turn:
            self.turn()

    def _keys(self) -> list[bytes]:
        return list(self._client.scan_iter(match=f"*{self._customer.thread}*", count=1000))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--turns", type=int, default=500, help="how long the conversation gets (default 500)")
    turns: int = arguments.parse_args().turns
    state = Path(os.environ.get("COUNTERFOIL_HOME", ".counterfoil"))
    with (
        tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder,
        running_server(any_binary(), Path(folder)) as redis_url,
    ):
        home = warm(state, Path(folder) / "state")
        with running(home, REDIS_URL=redis_url) as world:
            customer = Customer(world)
            customer.says("hello")
            customer.signs_in(EMAIL)
            _print(_spans(Talk(customer, redis.Redis.from_url(redis_url)), turns))


def _spans(talk: Talk, turns: int) -> list[Span]:
    console, spans = Console(stderr=True), list[Span]()
    talk.talk_until(WARM_UP)
    for border in (WARM_UP, turns // 10, turns // 5, turns // 2, turns - SPAN):
        talk.talk_until(border)
        spans.append(talk.span())
        console.print(f"turn {spans[-1].first + SPAN - 1} of {turns}")
    return spans


def _print(spans: list[Span]) -> None:
    table = Table(title=f"A turn of a conversation, median of {SPAN}, over HTTP", title_justify="left")
    for column in ("turns", "ms a turn", "to the first", "ms to read", "to the first", "checkpoints, kB", "events, kB"):
        table.add_column(column, justify="right")
    for span in spans:
        table.add_row(
            f"{span.first}–{span.first + SPAN - 1}",
            f"{span.turn:.1f}",
            f"{span.turn / spans[0].turn:.2f}",
            f"{span.read:.1f}",
            f"{span.read / spans[0].read:.2f}",
            f"{span.checkpoint_bytes / 1000:,.0f}",
            f"{span.event_bytes / 1000:,.0f}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
