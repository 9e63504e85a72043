"""`counterfoil receipt verify`: the counterfoil as people read it, and whether it is genuine."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphs.keys import open_ledger
from graphs.settings import Settings
from tools.errors import InvalidRequest
from tools.ledger.genuine import examine
from tools.ledger.types import Json, Receipt
from tools.money import Money

SAID = {"approve": "approved by", "reject": "rejected by"}

_json = TypeAdapter(Json)
_moments = TypeAdapter(datetime)


async def verify_receipt(console: Console, number: str | None, file: Path | None) -> int:
    """0 when it is genuine, 1 when it is not or there is none; then it says which check failed."""
    async with open_ledger(Settings.read()) as ledger:
        held = read_receipt(file) if file else await ledger.receipt(number or "")
        if held is None:
            console.print(f"There is no receipt {number}." if number else "Name a receipt, or a file with --json.")
            return 1
        if number not in {None, held.number}:
            raise InvalidRequest(f"The file holds receipt {held.number}, not {number}.")
        checks = await examine(ledger, held)
        place = await ledger.audit_place(held.number)
    console.print(_counterfoil(held, place))
    failed = [check for check in checks if not check.holds]
    for check in failed:
        console.print(f"[bold red]{check.name}[/]: {check.wrong}")
    genuine = f"[green]genuine[/]: {', '.join(check.name for check in checks)} hold"
    console.print("[bold red]not genuine[/]" if failed else genuine)
    return 1 if failed else 0


def read_receipt(file: Path) -> Receipt:
    """As `GET /receipts/{number}` gives it, and the chat page saves it. Raises `InvalidRequest`."""
    try:
        given = _json.validate_json(file.read_bytes())
        return Receipt(
            number=str(given["number"]),
            action=str(given["action_id"]),
            body=_json.validate_python(given["body"]),
            digest=str(given["digest"]),
            created=_moments.validate_python(given["created_at"]),
        )
    except (OSError, KeyError, ValidationError) as error:
        raise InvalidRequest(f"{file} holds no receipt as `GET /receipts/NUMBER` gives it.") from error


def _counterfoil(receipt: Receipt, place: int | None) -> Table:
    table = Table(title=f"Receipt {receipt.number}", show_header=False, title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for term, value in _rows(receipt.body):
        table.add_row(term, Text(value))
    table.add_row("issued", _when(receipt.created))
    table.add_row("SHA-256", receipt.digest)
    table.add_row("audit log", f"entry {place}" if place else "nowhere")
    return table


def _rows(body: Json) -> Iterator[tuple[str, str]]:
    yield "what", f"{body.get('kind')} of {_amount(body)} on {body.get('target')}"
    yield "for", str(body.get("customer"))
    yield "because of", str(body.get("reason"))
    yield "proposed by", str(body.get("proposed_by", "assistant"))
    yield "confirmed by", _confirmed(body)
    for one in body.get("approved_by", []):
        yield SAID[one["verdict"]], f"{one['agent']} ({one['role']}), {_when(one['at'])}: {one['reason']}"
    yield from _rules(body)
    yield "Stripe", str(body.get("stripe_id"))
    for step in body.get("steps", []):
        yield step["state"], f"{_when(step['at'])} by {step['actor']}"
    yield "evidence", json.dumps(body.get("evidence"), ensure_ascii=False, sort_keys=True)
    yield "action", f"{body.get('action')}, SHA-256 {body.get('action_digest')}"


def _rules(body: Json) -> Iterator[tuple[str, str]]:
    yield "policy", f"{body.get('policy_version')}, rule {body.get('rule')}"
    for one in body.get("policy", []):
        section = f"{one.get('document')}#{one.get('anchor')}"
        yield f"at {one['step']}", f"{one['outcome']} by {one['rule']} ({section}): {one.get('because')}"


def _amount(body: Json) -> str:
    return Money(int(body.get("amount", 0)), str(body.get("currency", "usd"))).text()


def _confirmed(body: Json) -> str:
    at = next((step["at"] for step in body.get("steps", []) if step["state"] == "confirmed"), None)
    return f"{body.get('confirmed_by', 'customer')}, {_when(at)}" if at else "nobody"


def _when(moment: datetime | str) -> str:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
