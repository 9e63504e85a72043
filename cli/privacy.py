"""`counterfoil privacy`: what is kept about a customer as one file, and the end of it. docs/privacy.md is the guide."""

import contextlib
import getpass
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import redis as plain_redis
import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cli import embedded_redis
from graphs.keys import keyring, open_ledger
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from server.erasure import Eraser
from server.events import EventLog
from tools.billing.stripe_billing import StripeBilling
from tools.errors import BillingUnavailable, InvalidRequest, ThreadBusy, Unavailable
from tools.ledger.digest import iso
from tools.ledger.ledger import Ledger
from tools.ledger.privacy import UnderWay
from tools.ledger.types import Action, Json
from tools.sealing.keyring import Keyring

PATIENCE_SECONDS = 15
"""Longer than most runs take, and than the lease of a worker that was killed."""
COUNTED = ("threads", "messages", "runs", "identities", "tickets", "feedback", "promises", "actions", "receipts")
STAYS = "What was done with money stays on record: sums, days, ids, rules and who decided, without details."


@dataclass(frozen=True, kw_only=True)
class Found:
    """Who was named, as far as they are known here."""

    email: str | None
    customers: frozenset[str]
    threads: list[str] = field(default_factory=list)


async def export(console: Console, who: str, to: Path | None) -> int:
    """1 when nothing is kept about them. The file is readable by its owner alone, and never written over another."""
    settings = Settings.read()
    async with open_ledger(settings) as ledger:
        with console.status("looking through the ledger"):
            found = await _find(who, settings, ledger)
            kept = await ledger.kept_about(found.customers, found.threads)
    if not any(kept.values()):
        console.print(f"Nothing is kept about {who}.", highlight=False)
        return 1
    file = to or Path(f"privacy-export-{datetime.now(UTC):%Y%m%d-%H%M%S}.json")
    shared = _shared(kept, found)
    about = {"email": found.email, "customers": sorted(found.customers)}
    _write(file, {"exported_at": iso(datetime.now(UTC)), "about": about, "shared_threads": sorted(shared), **kept})
    console.print(_counts(kept))
    console.print(f"Written to {file}, readable by you alone.", highlight=False, soft_wrap=True)
    for thread, others in sorted(shared.items()):
        said = f"In thread {thread} others proved who they are, too ({', '.join(others)})"
        console.print(f"[yellow]{said}: look through it before you hand the file over.", soft_wrap=True)
    return 0


async def erase(console: Console, who: str, *, yes: bool, dry_run: bool) -> int:
    """1 when it was put off, in whole or in part, or there is nothing to erase; then it says why."""
    settings = Settings.read()
    async with open_ledger(settings) as ledger:
        with console.status("looking through the ledger"):
            found = await _find(who, settings, ledger)
            kept = await ledger.kept_about(found.customers, found.threads)
            waits = await ledger.standing_in_the_way(found.threads)
        if not found.threads:
            console.print(f"No conversation of {who} is kept.", highlight=False)
            return 1
        console.print(_counts(kept))
        if waits:
            _put_off(console, waits)
            return 1
        if dry_run:
            console.print(f"Nothing was erased: this was a dry run. {STAYS}")
            return 0
        if not yes and not typer.confirm(f"Erase these conversations for good? {STAYS}", default=False):
            console.print("Nothing was erased.")
            return 1
        with _redis_url(settings) as url:
            async with _eraser(ledger, url, keyring(settings)) as eraser:
                return await _erase(console, found, eraser)


async def _erase(console: Console, found: Found, eraser: Eraser) -> int:
    left: list[tuple[str, str]] = []
    ended = 0
    with Progress(console=console) as progress:
        for thread in progress.track(found.threads, description="erasing"):
            try:
                gone = await eraser.erase(
                    thread,
                    actor=f"cli:{getpass.getuser()}",
                    customers=found.customers,
                    patience=PATIENCE_SECONDS,
                )
                ended += any(gone.values())
            except (UnderWay, ThreadBusy) as error:
                left.append((thread, error.message))
    for thread, why in left:
        console.print(f"[yellow]Thread {thread} is still there[/]: {why}", soft_wrap=True, highlight=False)
    console.print(f"Conversations erased: {ended}. {STAYS}", highlight=False)
    return 1 if left else 0


async def _find(who: str, settings: Settings, ledger: Ledger) -> Found:
    if re.fullmatch(r"cus_\w+", who):
        customers, email = {who}, None
    elif re.fullmatch(r"[^@\s]+@[^@\s]+", who):
        customers, email = await ledger.customers_known_as(who) | await _at_stripe(who, settings), who
    else:
        raise InvalidRequest(f"{who!r} is neither an e-mail address nor a customer's id at Stripe (cus_...).")
    threads = await ledger.threads_of(customers, email)
    return Found(email=email, customers=frozenset(customers), threads=threads)


async def _at_stripe(email: str, settings: Settings) -> set[str]:
    async with StripeBilling.open(settings.stripe_key, settings.stripe_url) as billing:
        try:
            return {customer.id for customer in await billing.find_by_email(email)}
        except BillingUnavailable as error:
            raise Unavailable(
                "Stripe does not answer, so it is not known which customers have this address. "
                "Try again, or name the customer by id: cus_..."
            ) from error


def _shared(kept: Json, found: Found) -> dict[str, list[str]]:
    """Threads in which customers besides those were bound, by the audit log."""
    shared: dict[str, set[str]] = {}
    for entry in kept["audit"]:
        customer = entry["data"].get("customer") if entry["event"] == "identity.bound" else None
        if customer and customer not in found.customers:
            shared.setdefault(entry["data"]["thread"], set()).add(customer)
    return {thread: sorted(customers) for thread, customers in shared.items()}


def _write(file: Path, kept: Json) -> None:
    try:
        new = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidRequest(f"{file} is there already, and is not written over.") from None
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be written ({error.strerror}).") from error
    with os.fdopen(new, "w") as out:
        json.dump(kept, out, ensure_ascii=False, indent=2)


def _counts(kept: Json) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in COUNTED:
        table.add_row(name, str(len(kept[name])))
    return table


def _put_off(console: Console, waits: list[Action]) -> None:
    console.print("[yellow]Nothing was erased[/]: this is still under way. Erase when it is done, or was withdrawn.")
    for action in waits:
        said = f"{action.kind} of {action.amount.text()}, {action.state}: action {action.id}"
        console.print(said, highlight=False, soft_wrap=True)


@asynccontextmanager
async def _eraser(ledger: Ledger, url: str, keys: Keyring) -> AsyncIterator[Eraser]:
    async with Redis.from_url(url) as client, EventLog.open(url, keys=keys) as events:
        try:
            await client.ping()
        except RedisError as error:
            raise Unavailable("Redis does not answer, so nothing was erased. Check REDIS_URL.") from error
        yield Eraser(ledger=ledger, redis=client, saver=RedisSaver(client), events=events)


@contextmanager
def _redis_url(settings: Settings) -> Iterator[str]:
    """REDIS_URL, else the embedded server: the one that runs, or one that is started for as long as this takes."""
    if settings.redis_url:
        yield settings.redis_url
    elif running := _running(settings.home / "redis.url"):
        yield running
    else:
        server = embedded_redis.start(settings.home)
        try:
            yield server.url
        finally:
            server.stop()


def _running(record: Path) -> str | None:
    if not record.exists():
        return None
    url = record.read_text().strip()
    with contextlib.suppress(RedisError), plain_redis.Redis.from_url(url) as client:
        client.ping()
        return url
    return None
