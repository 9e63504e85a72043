"""What was done to a town, and how long it took until what was left behind went on."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from server.events import Event
from tests.chaos.talks.customers import Counts
from tests.chaos.talks.laws import NOBODY_WROTE, Facts
from tests.chaos.talks.trouble import Kill, Trouble


def recoveries(kills: Iterable[Kill], facts: Iterable[Facts]) -> list[float]:
    """Seconds from each kill to the next event of each run that the killed worker had."""
    runs = [facts_of.entries(run) for facts_of in facts for run in facts_of.runs]
    return [seconds for kill in kills for run in runs if (seconds := _recovery(kill, run)) is not None]


def _recovery(kill: Kill, run: list[Event]) -> float | None:
    before = [entry for entry in run if at(entry) <= kill.at]
    after = [entry for entry in run if at(entry) > kill.at]
    spoke = [entry for entry in before if "process " in entry.data]
    if not after or not spoke or f"process {kill.process}" not in spoke[-1].data:
        return None
    return at(after[0]) - kill.at


def at(entry: Event) -> float:
    """Unix time."""
    return int(entry.id.partition("-")[0]) / 1000


def account(counts: Counts, trouble: Trouble, facts: list[Facts], seconds: float) -> list[str]:
    """Lines of two columns."""
    took = sorted(recoveries(trouble.kills, facts))
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
        "seconds in all": round(seconds),
    }
    width = max(map(len, rows))
    return [f"{name.ljust(width)}  {value}" for name, value in rows.items()]


def _spread(took: list[float]) -> str:
    if len(took) < 2:
        return "-"
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}, longest {took[-1]:.1f}"
