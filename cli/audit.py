"""`counterfoil audit`: proves the log of everything that was done, and reads out what it says about somebody's case."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphs.keys import open_ledger
from graphs.settings import Settings
from tools.errors import InvalidRequest
from tools.ledger.audit import AuditBroken
from tools.ledger.digest import iso
from tools.ledger.types import AuditEntry, Json

HEAD = re.compile(r"(?P<sequence>[1-9]\d*):(?P<hash>[0-9a-f]{64})")


async def verify_audit(console: Console, witness: str | None = None) -> int:
    """0 when the log holds together and, if a head of an earlier day is given, still holds that one; else 1."""
    kept = _head_of(witness) if witness else None
    async with open_ledger(Settings.read()) as ledger:
        with console.status("checking every entry"):
            try:
                rows = await ledger.verify_audit()
            except AuditBroken as broken:
                console.print(f"[bold red]The audit log was tampered with[/]: {broken.message}")
                return 1
            now = await ledger.audit_entry(rows)
            then = await ledger.audit_entry(kept[0]) if kept else None
    if kept and (then is None or then.hash != kept[1]):
        console.print(f"[bold red]The audit log was rewritten[/]: entry {kept[0]} is not the one that {witness} names.")
        return 1
    console.print(f"{rows} rows, chain unbroken.{' It still holds the head that you kept.' if kept else ''}")
    if now:
        console.print(f"head {now.sequence}:{now.hash}", soft_wrap=True, highlight=False)
        console.print("[dim]Keep the head elsewhere: with --head it proves later that nothing before it was rewritten.")
    return 0


async def show_audit(console: Console, ids: Sequence[str], *, as_json: bool, limit: int) -> int:
    """1 when there is nothing about them."""
    async with open_ledger(Settings.read()) as ledger:
        entries = await ledger.audit_about(*ids, limit=limit)
    if as_json:
        for entry in entries:
            print(json.dumps({**vars(entry), "at": iso(entry.at)}, ensure_ascii=False))
        return 0 if entries else 1
    if not entries:
        console.print(f"The audit log says nothing of {' or '.join(ids)}." if ids else "The audit log is empty.")
        return 1
    console.print(_table(entries))
    console.print(_summed_up(entries, limit))
    return 0


def _head_of(witness: str) -> tuple[int, str]:
    found = HEAD.fullmatch(witness.strip())
    if found is None:
        _refuse(witness)
    return int(found["sequence"]), found["hash"]


def _refuse(witness: str) -> NoReturn:
    raise InvalidRequest(f"{witness!r} is no head. `counterfoil audit verify` prints one: NUMBER:HASH.")


def _table(entries: Sequence[AuditEntry]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("entry", justify="right")
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("details", overflow="fold")
    for entry in entries:
        at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(entry.sequence), at, entry.event, Text("\n".join(_details(entry))))
    return table


def _details(entry: AuditEntry) -> Iterator[str]:
    calls = entry.data.get("calls", []) if entry.event == "stripe.called" else []
    plain = {name: value for name, value in entry.data.items() if value is not None and not (calls and name == "calls")}
    if plain:
        yield "  ".join(f"{name}={_said(value)}" for name, value in plain.items())
    for call in calls:
        yield f"{call['method']} {call['path']} {call['status'] or 'no answer'} {call['request'] or ''}".rstrip()


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _summed_up(entries: Sequence[AuditEntry], limit: int) -> str:
    models = [entry.data for entry in entries if entry.event == "model.called"]
    requests = sum(len(entry.data["calls"]) for entry in entries if entry.event == "stripe.called")
    said = [f"entries: {len(entries)}", f"requests to Stripe: {requests}", f"model calls: {len(models)}"]
    if models:
        said.append(f"{_sum(models, 'input_tokens') + _sum(models, 'output_tokens'):,} tokens")
        said.append(f"${_sum(models, 'cost_micro_usd') / 1_000_000:.4f} by list price")
    more = f" These are the newest {limit}: --limit shows more." if len(entries) == limit else ""
    return f"[dim]{', '.join(said)}.{more}"


def _sum(models: Sequence[Json], name: str) -> int:
    return sum(model.get(name) or 0 for model in models)
