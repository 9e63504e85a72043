"""`counterfoil policy test`: the table of cases against a rules file."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.policy.engine import PolicyEngine
from tools.policy.table import Case, Surprise, load_cases, surprises


def check_policy(console: Console, table: Path | None, rules: Path | None) -> int:
    """0 when every row has the verdict that it names."""
    engine, cases = PolicyEngine.load(rules), load_cases(table)
    found = surprises(engine, cases)
    console.print(_kinds(cases, found))
    for surprise in found:
        console.print(_surprise(surprise), highlight=False)
    if table is None and (idle := sorted({rule.id for rule in engine.rules.cited()} - {case.rule for case in cases})):
        console.print(f"\nNo case is decided by {', '.join(idle)}: add a row.", highlight=False)
    console.print(f"\n{len(cases) - len(found)} of {len(cases)} cases as expected (policy {engine.version}).")
    return 1 if found else 0


def _kinds(cases: Iterable[Case], found: Iterable[Surprise]) -> Table:
    rows = Counter(case.kind for case in cases)
    wrong = Counter(surprise.case.kind for surprise in found)
    table = Table("kind", "rows", "as expected", box=None)
    for kind, count in rows.items():
        right = count - wrong[kind]
        table.add_row(kind, str(count), f"[green]{right}[/]" if right == count else f"[red]{right}[/]")
    return table


def _surprise(surprise: Surprise) -> str:
    """In lines, not in columns: a sentence does not fit into one."""
    case, verdict = surprise.case, surprise.verdict
    expected = _said(case.outcome, case.rule, case.people)
    got = _said(verdict.outcome, verdict.rule, None if case.people is None else verdict.people)
    return (
        f"\n[bold]{escape(case.name)}[/] ({case.kind})\n  expected [green]{expected}[/]\n"
        f"  got      [red]{got}[/]\n  because  {escape(verdict.because)}"
    )


def _said(outcome: str, rule: str, people: int | None) -> str:
    return escape(f"{outcome} by {rule}" + ("" if people is None else f", people: {people}"))
