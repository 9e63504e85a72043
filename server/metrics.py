"""Counters and histograms of one process, in a registry of its own."""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from server.serving_metrics import ServingMetrics
from tools.safety.dropped import DROPPED, SINKS

BREAKER_LEVELS = {"closed": 0, "half_open": 1, "open": 2}


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "counterfoil_http_requests", "HTTP requests.", ["method", "route", "status"], registry=self.registry
        )
        self.refused = Counter(
            "counterfoil_refused",
            "Requests that were answered with a problem, by its code.",
            ["code"],
            registry=self.registry,
        )
        self.serving = ServingMetrics(self.registry)
        self.errors = Counter("counterfoil_errors", "Unexpected errors.", ["where"], registry=self.registry)
        self.stripe_breaker = Gauge(
            "counterfoil_stripe_breaker",
            "Circuit breaker before Stripe: 0 closed, 1 half-open, 2 open.",
            registry=self.registry,
        )
        self.stripe_events = Counter(
            "counterfoil_stripe_events",
            "Stripe's webhook events: received, duplicate, processed, ignored; refused, quarantined, failed.",
            ["type", "state"],
            registry=self.registry,
        )
        self.promises = Counter(
            "counterfoil_promises",
            "Promises to customers, by what became of them: kept, dropped, overdue.",
            ["kind", "fate"],
            registry=self.registry,
        )
        self.promises_overdue = Gauge(
            "counterfoil_promises_overdue",
            "Promises that are overdue and still owed.",
            registry=self.registry,
        )

        self.automatic = Gauge(
            "counterfoil_automatic_actions",
            "The kill switch: 1 while the assistant may carry anything out by itself, 0 while a person has to approve.",
            registry=self.registry,
        )
        self.dropped = Gauge(
            "counterfoil_unmasked_dropped",
            "Log events and traced runs that were not written because they could not be masked.",
            ["sink"],
            registry=self.registry,
        )
        for sink in SINKS:
            self.dropped.labels(sink).set_function(partial(DROPPED.__getitem__, sink))
        self.limited = Counter(
            "counterfoil_limited", "Requests that were one too many, by limit.", ["limit"], registry=self.registry
        )
        self.unlimited = Counter(
            "counterfoil_limits_skipped",
            "Requests that were let through uncounted because Redis did not answer.",
            ["limit"],
            registry=self.registry,
        )
        self.decisions = Counter(
            "counterfoil_decisions",
            "Decisions of people: confirm, decline, withdraw of customers; approve, reject, propose of staff.",
            ["role", "decision"],
            registry=self.registry,
        )

    def watch_stripe(self, state: Callable[[], str]) -> None:
        """Asked anew at every scrape."""
        self.stripe_breaker.set_function(lambda: BREAKER_LEVELS[state()])

    def render(self) -> bytes:
        return generate_latest(self.registry)
