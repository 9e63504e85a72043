"""How fast the simulated Stripe is: a real sandbox process, this process asking it over kept-alive connections.

python -m scripts.bench_sandbox [--seconds 5] [--connections 8] [--state FOLDER]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from rich.console import Console
from rich.table import Table

HEADERS = {"Authorization": "Bearer sk_test_bench", "Content-Type": "application/x-www-form-urlencoded"}
CHARGES_PER_WORKER = 40
PAID = 1_000_000
REFUNDED = 100


class Client:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self.connection = HTTPConnection(urlsplit(url).netloc, timeout=10)

    def call(self, method: str, path: str, **form: object) -> dict[str, object]:
        query = urlencode(form)
        where = f"/v1/{path}?{query}" if method == "GET" else f"/v1/{path}"
        self.connection.request(method, where, body=query if method == "POST" else None, headers=HEADERS)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bench: {method} {path}: {answer.status} {body[:300]!r}")
        found: dict[str, object] = json.loads(body)
        return found


Step = Callable[[Client, int], object]


@dataclass
class Result:
    name: str
    seconds: float = 0
    cpu: float | None = None
    """Seconds of processor time that the sandbox took for it; None where the system does not tell."""
    times: list[float] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        ordered = sorted(self.times)
        figures = (f"{percentile(ordered, share) * 1000:.1f} ms" for share in (0.5, 0.95))
        cpu = "–" if self.cpu is None else f"{self.cpu / len(ordered) * 1000:.2f} ms"
        return self.name, f"{len(ordered):,}", f"{len(ordered) / self.seconds:,.0f}", *figures, cpu


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def processor_time(process: int) -> float | None:
    """User and system time so far, on Linux."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def sandbox(state: Path | None) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--smtp-port", "0", "--watch-stdin"]
    command += ["--state", str(state)] if state else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        if process.stdin is None or process.stdout is None:
            raise SystemExit("bench: the sandbox has no pipes")
        line = process.stdout.readline()
        if not line.startswith("ready "):
            raise SystemExit("bench: the sandbox did not start")
        yield json.loads(line.removeprefix("ready "))["stripe"], process.pid
        process.stdin.close()


def steps(url: str, connections: int) -> dict[str, Step]:
    """The mixes, with what they need made beforehand."""
    client = Client(url)
    customers = [each["id"] for each in client.call("GET", "customers", limit=100)["data"]]  # type: ignore[attr-defined]
    form = {"amount": PAID, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    charges = [
        client.call("POST", "payment_intents", **form)["latest_charge"] for _ in range(connections * CHARGES_PER_WORKER)
    ]

    def read(one: Client, turn: int) -> object:
        return one.call("GET", f"charges/{charges[turn % len(charges)]}")

    def listed(one: Client, turn: int) -> object:
        kind = ("charges", "invoices", "subscriptions")[turn % 3]
        return one.call("GET", kind, customer=customers[turn % len(customers)])

    def refund(one: Client, turn: int) -> object:
        return one.call("POST", "refunds", charge=charges[turn % len(charges)], amount=REFUNDED)

    def search(one: Client, turn: int) -> object:
        return one.call("GET", "customers/search", query=f"email:'customer{turn}@example.com'")

    def mixed(one: Client, turn: int) -> object:
        return (read, listed, listed, refund)[turn % 4](one, turn)

    return {
        "one charge": read,
        "lists of a customer": listed,
        "search for a customer": search,
        "refunds": refund,
        "mixed: 3 reads, 1 refund": mixed,
    }


def measure(url: str, name: str, step: Step, *, connections: int, seconds: float) -> Result:
    result = Result(name)
    began = time.perf_counter()
    end = began + seconds

    def work(number: int) -> None:
        client, turn = Client(url), number
        while (before := time.perf_counter()) < end:
            step(client, turn)
            result.times.append(time.perf_counter() - before)
            turn += connections
        client.connection.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    result.seconds = time.perf_counter() - began
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_sandbox", description="How fast the simulated Stripe is.")
    parser.add_argument("--seconds", type=float, default=5, help="for each mix")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--state", type=Path, help="let the sandbox write to this folder")
    options = parser.parse_args()
    kept = f"written to {options.state}" if options.state else "in memory"
    table = Table("requests", "count", "per second", "p50", "p95", "CPU each", title=f"Simulated Stripe, {kept}")
    for column in table.columns[1:]:
        column.justify = "right"
    with sandbox(options.state) as (url, process):
        for name, step in steps(url, options.connections).items():
            before = processor_time(process)
            result = measure(url, name, step, connections=options.connections, seconds=options.seconds)
            after = processor_time(process)
            result.cpu = None if before is None or after is None else after - before
            table.add_row(*result.row())
    Console().print(table)


if __name__ == "__main__":
    main()
