"""`counterfoil keys`: service keys for machines, made and shown once, listed by age, revoked at once."""

import getpass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphs.keys import open_ledger
from graphs.settings import Settings
from tools.ledger.service_keys import ServiceKey


async def create(console: Console, name: str, scopes: list[str]) -> None:
    """Raises `InvalidRequest`: no name, no scope, or one that there is not."""
    async with open_ledger(Settings.read()) as ledger:
        key, text = await ledger.create_service_key(name, scopes, actor=_who())
    console.print(f"Key {key.id} for {_plain(key.name)}: {', '.join(sorted(key.scopes))}. It is shown this once:")
    console.print(Text(str(text), style="bold"), soft_wrap=True)
    console.print(f"Send it as `Authorization: Bearer ...`. It is refused from {key.expires:%Y-%m-%d} on.")


async def show(console: Console) -> None:
    async with open_ledger(Settings.read()) as ledger:
        keys = await ledger.service_keys()
    if not keys:
        console.print("There are no service keys. `counterfoil keys create NAME --scope metrics` makes one.")
        return
    table = Table("id", "name", "scopes", "made", "last used", "state", box=None)
    now = datetime.now(UTC)
    for key in keys:
        used = _day(key.last_used) if key.last_used else "never"
        table.add_row(key.id, Text(key.name), ", ".join(sorted(key.scopes)), _day(key.created), used, state(key, now))
    console.print(table)


async def revoke(console: Console, key_id: str) -> None:
    """Raises `NotFound`."""
    async with open_ledger(Settings.read()) as ledger:
        key = await ledger.revoke_service_key(key_id, actor=_who())
    console.print(f"Key {key.id} of {_plain(key.name)} is refused from now on, on every server.")


def state(key: ServiceKey, now: datetime) -> str:
    if key.revoked:
        return f"[dim]revoked {_day(key.revoked)}[/]"
    if key.expired(now):
        return f"[bold red]expired {_day(key.expires)}[/]: make another"
    if key.ageing(now):
        return f"[yellow]expires {_day(key.expires)}[/]: make another"
    return f"[green]good[/] until {_day(key.expires)}"


def _who() -> str:
    return f"cli:{getpass.getuser()}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _plain(name: str) -> str:
    return Text(name).markup
