"""How runs and streams fare, in numbers."""

import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from server.events import Event
from tools.ledger.types import UNFINISHED, RunStatus

# To a hundredth of a second where a customer waits for the first word, and up to the longest life of a run.
_SOON = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)


class ServingMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.runs = Counter("counterfoil_runs", "Runs, by how they ended.", ["status"], registry=registry)
        self.run_seconds = Histogram("counterfoil_run_seconds", "How long runs took.", registry=registry, buckets=_LONG)
        self.wait_seconds = Histogram(
            "counterfoil_run_wait_seconds",
            "How long runs waited for a worker, from being written down to their first beginning.",
            registry=registry,
            buckets=_LONG,
        )
        self.node_seconds = Histogram(
            "counterfoil_node_seconds",
            "How long steps of a run took, from the end of the step before, by node.",
            ["node"],
            registry=registry,
            buckets=_LONG,
        )
        self.depth = Gauge(
            "counterfoil_unfinished_runs",
            "Runs that wait for a worker (pending) or have one (running), on all servers together.",
            ["status"],
            registry=registry,
        )
        self.taken_up = Counter(
            "counterfoil_runs_taken_up", "Runs that were begun anew, because their worker was lost.", registry=registry
        )
        self.given_up = Counter(
            "counterfoil_runs_given_up",
            "Runs that this worker let go of: lease lost, thread deleted, Redis or the ledger away.",
            ["why"],
            registry=registry,
        )
        self.streams = Gauge("counterfoil_open_streams", "Streams that are open.", registry=registry)
        self.first_event_seconds = Histogram(
            "counterfoil_first_event_seconds",
            "From a message's arrival to the first event of its stream.",
            registry=registry,
            buckets=_SOON,
        )
        self.first_token_seconds = Histogram(
            "counterfoil_first_token_seconds",
            "From a message's arrival to the first word of its answer.",
            registry=registry,
            buckets=_SOON,
        )
        self.replays = Counter(
            "counterfoil_replays", "Streams that were entered again from a place in the log.", registry=registry
        )
        self.gaps = Counter(
            "counterfoil_gaps", "Times that a stream had to say that events are gone.", registry=registry
        )

    def show_depth(self, found: Mapping[RunStatus, int] | None) -> None:
        """None when it is not known."""
        for status in UNFINISHED:
            self.depth.labels(status).set(float("nan") if found is None else found.get(status, 0))

    def timed_nodes(self) -> "NodeTimes":
        return NodeTimes(self)

    async def timed(self, source: AsyncIterator[Event], since: float) -> AsyncIterator[Event]:
        """The same events. `since`: when the message arrived, by `time.monotonic`."""
        told, spoke = False, False
        async for event in source:
            if not told:
                self.first_event_seconds.observe(time.monotonic() - since)
                told = True
            if not spoke and _is_word(event):
                self.first_token_seconds.observe(time.monotonic() - since)
                spoke = True
            yield event


class NodeTimes:
    """One run's steps, as they end."""

    def __init__(self, metrics: ServingMetrics) -> None:
        self._metrics = metrics
        self._since = time.monotonic()

    def ended(self, nodes: Iterable[str]) -> None:
        now = time.monotonic()
        for node in nodes:
            if not node.startswith("__"):
                self._metrics.node_seconds.labels(node).observe(now - self._since)
        self._since = now


def _is_word(event: Event) -> bool:
    if event.event != "messages":
        return False
    message: Any = json.loads(event.data)[0]
    return bool(message.get("type") == "AIMessageChunk" and message.get("content"))
