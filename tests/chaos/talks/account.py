"""What was done to a town, and how long it took until what was left behind went on."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from server.events import Event
from tests.chaos.talks.customers import Counts
from tests.chaos.talks.laws import NOBODY_WROTE, Facts
from tests.chaos.talks.trouble import Kill, Trouble

Span = tuple[float, float]


def recoveries(kills: Iterable[Kill], facts: Iterable[Facts]) -> list[Span]:
    """From each kill to the next event of each run that the killed worker had; in Unix time."""
    runs = [one.entries(run) for one in facts for run in one.runs]
    return [(kill.at, until) for kill in kills for run in runs if (until := _recovery(kill, run)) is not None]


def _recovery(kill: Kill, run: list[Event]) -> float | None:
    before = [entry for entry in run if at(entry) <= kill.at]
    after = [entry for entry in run if at(entry) > kill.at]
    spoke = [entry for entry in before if "process " in entry.data]
    if not after or not spoke or f"process {kill.process}" not in spoke[-1].data:
        return None
    return at(after[0])


def at(entry: Event) -> float:
    """Unix time."""
    return int(entry.id.partition("-")[0]) / 1000


def account(counts: Counts, trouble: Trouble, facts: list[Facts], seconds: float) -> list[str]:
    """Lines of two columns."""
    took = recoveries(trouble.kills, facts)
    calm = [span for span in took if not any(_meet(span, away) for away in trouble.away)]
    attempts = Counter(
        sum(entry.event == "metadata" for entry in one.entries(run)) for one in facts for run in one.runs
    )
    made_up = sum(turn.heard[-1].data == NOBODY_WROTE for one in facts for turn in one.turns if turn.ended)
    rows: dict[str, object] = {
        "conversations": len(facts),
        **{f"customers: {name.replace('_', ' ')}": value for name, value in asdict(counts).items()},
        "workers killed": len(trouble.kills),
        "workers told to stop": trouble.stops,
        "workers asleep for longer than their lease": trouble.sleeps,
        "servers killed": trouble.server_kills,
        "Redis ended and started anew": trouble.restarts,
        "Redis stood still": trouble.pauses,
        "runs by attempts": ", ".join(f"{tries}: {runs}" for tries, runs in sorted(attempts.items())),
        "ends that nobody wrote": made_up,
        "runs that a killed worker had": len(took),
        "their next event after, seconds": _spread(took),
        "of these with Redis there all the time": _spread(calm),
        "seconds in all": round(seconds),
    }
    width = max(map(len, rows))
    return [f"{name.ljust(width)}  {value}" for name, value in rows.items()]


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _spread(spans: list[Span]) -> str:
    took = sorted(until - since for since, until in spans)
    if len(took) < 2:
        return "-"
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}, longest {took[-1]:.1f} ({len(took)})"
