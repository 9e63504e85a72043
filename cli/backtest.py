"""`counterfoil policy backtest`: the requests in the ledger, replayed under two sets of rules."""

import csv
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.parts import prepare
from graphs.keys import open_ledger
from graphs.settings import Settings
from tools.errors import ConfigurationError, Unprocessable
from tools.policy.backtest import Comparison, Replay, Standing, Sum, replay
from tools.policy.engine import PolicyEngine

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SHOWN = 20
"""Single cases, unless all are asked for."""
COLORS: dict[Standing, str] = {"automatic": "green", "one person": "yellow", "two people": "yellow", "denied": "red"}
MORE: dict[Standing, str] = {
    "automatic": "more automatic",
    "one person": "more to a person",
    "two people": "more to two people",
    "denied": "more denied",
}
COLUMNS = (
    *("at", "case", "kind", "ground", "customer", "target", "amount", "currency"),
    *("outcome_before", "people_before", "rule_before", "outcome_after", "people_after", "rule_after", "because_after"),
)

Engines = tuple[PolicyEngine, PolicyEngine]


@dataclass(frozen=True, kw_only=True)
class Span:
    since: datetime
    until: datetime

    @classmethod
    def between(cls, since: datetime | None, until: datetime | None) -> Self:
        """Days as people give them, in UTC. Raises `ConfigurationError` when there is nothing in between."""
        begin = since.replace(tzinfo=UTC) if since else BEGINNING
        end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
        if begin >= end:
            raise ConfigurationError("--since has to be before --until.")
        return cls(since=begin, until=end)


@dataclass(kw_only=True)
class Found:
    kept: "deque[Replay]"
    """Of those that would change, the newest."""
    comparison: Comparison = field(default_factory=Comparison)
    unreadable: list[str] = field(default_factory=list)


async def backtest(console: Console, old: str, new: str, *, span: Span, every: bool, table: Path | None) -> int:
    """0 when nothing would change, 1 when something would, 2 when a recorded request cannot be read."""
    engines = _engine(old), _engine(new)
    found = Found(kept=deque(maxlen=None if every else SHOWN))
    with _written(table) as write:
        async for replayed in _replays(console, engines, span, found.unreadable):
            found.comparison.add(replayed)
            if replayed.changed:
                found.kept.append(replayed)
                write(replayed)
    _show(console, engines, found)
    if found.unreadable:
        return 2
    return 1 if found.comparison.changed else 0


def _engine(rules: str) -> PolicyEngine:
    return PolicyEngine.load(None if rules == "packaged" else Path(rules))


async def _replays(console: Console, engines: Engines, span: Span, unreadable: list[str]) -> AsyncIterator[Replay]:
    settings = Settings.read()
    prepare(settings.home)
    look = SpinnerColumn(), TextColumn("{task.completed} requests, {task.description}"), TimeElapsedColumn()
    async with open_ledger(settings) as ledger:
        with Progress(*look, console=console, transient=True) as progress:
            task = progress.add_task("opening the ledger", total=None)
            async for recorded in ledger.each_assessment(since=span.since, until=span.until):
                progress.update(task, advance=1, description=f"up to {recorded.at:%Y-%m-%d}")
                try:
                    replayed = replay(recorded, *engines)
                except Unprocessable as error:
                    unreadable.append(error.message)
                else:
                    yield replayed


@contextmanager
def _written(table: Path | None) -> Iterator[Callable[[Replay], None]]:
    """Writes a line for each replay that it is given; nowhere without a `table`."""
    if table is None:
        yield lambda _: None
        return
    try:
        file = table.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"The table {table} cannot be written ({error.strerror}).") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        yield lambda replayed: writer.writerow(_line(replayed))


def _line(replayed: Replay) -> tuple[object, ...]:
    request, before, after = replayed.request, replayed.before, replayed.after
    asked = (request.kind, request.ground, request.customer, request.target)
    money = (request.amount.amount, request.amount.currency)
    verdicts = (before.outcome, before.people, before.rule, after.outcome, after.people, after.rule, after.because)
    return (replayed.at.isoformat(), replayed.case, *asked, *money, *verdicts)


def _show(console: Console, engines: Engines, found: Found) -> None:
    if found.comparison.changed:
        console.print(_changes(found.comparison), _single(found), sep="\n")
    for message in found.unreadable[:SHOWN]:
        console.print(f"[red]{escape(message)}[/]")
    if found.unreadable:
        console.print(f"{len(found.unreadable)} recorded requests cannot be read and are left out.")
    old, new = (engine.version for engine in engines)
    console.print(f"{summary(found.comparison)}.", f"Policy {old} against {new}.", highlight=False)


def summary(comparison: Comparison) -> str:
    """`12 requests, 3 would change: 2 more automatic ($150.00), 1 more to a person ($480.00), 0 more denied`."""
    if not comparison.requests:
        return "No requests were recorded in that time"
    counted = f"{comparison.requests:,} requests"
    if not comparison.changed:
        return f"{counted}, nothing would change"
    parts = [(MORE[to], comparison.becoming(to)) for to in MORE]
    said = ", ".join(_counted(more, total) for more, total in parts if total.count or more != MORE["two people"])
    return f"{counted}, {comparison.changed:,} would change: {said}"


def _counted(more: str, total: Sum) -> str:
    return f"{total.count:,} {more}" + (f" ({_money(total)})" if total.money() else "")


def _money(total: Sum) -> str:
    return ", ".join(money.text() for money in total.money())


def _changes(comparison: Comparison) -> Table:
    table = _table("What would change", "kind", "outcome", "requests", "amount")
    for (kind, *move), total in comparison.changes():
        table.add_row(kind, _arrow(move), f"{total.count:,}", _money(total))
    return table


def _single(found: Found) -> Table:
    shown, of = len(found.kept), found.comparison.changed
    title = f"All {of:,} of them" if shown == of else f"The newest {shown} of {of:,} (--all shows every one)"
    table = _table(title, "at", "kind", "amount", "outcome", "rule", "case")
    for replayed in found.kept:
        rules = dict.fromkeys((replayed.before.rule, replayed.after.rule))
        request, at = replayed.request, f"{replayed.at:%Y-%m-%d %H:%M}"
        outcome, case = _arrow(replayed.move), escape(replayed.case)
        table.add_row(at, request.kind, request.amount.text(), outcome, " → ".join(rules), case)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in {"requests", "amount"} else "left", overflow="fold")
    return table


def _arrow(move: Iterable[Standing]) -> str:
    return " → ".join(f"[{COLORS[stands]}]{stands}[/]" for stands in move)
