"""What a server's process does in the matrix: it proposes, hears the yes, and comes back to life."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import redis

from graphs.plugs import Loaded, open_plugs
from graphs.settings import Settings
from nodes.promising import OUTCOME
from server.app import create_app
from server.auth import Principal
from server.promises.means import Fate
from server.promises.sweep import BY_ACTION
from server.services import Services
from server.threads import Sender, open_thread, say
from tests.chaos.laws import ENDS, Facts, Line
from tests.chaos.points import Watch, watch
from tests.fixtures.keys import KEYS
from tools.errors import KnowledgeUnavailable
from tools.ledger.ledger import Ledger
from tools.ledger.repository import utc_now
from tools.ledger.types import Run
from tools.nlu.types import Understander

ANYBODY = Principal(id="anon_chaos", role="customer", name="customer")
THEM = Sender(caller=ANYBODY, network="127.0.0.1")
YES = "yes please"
PATIENCE_SECONDS = 40.0
TURN_SECONDS, REST_TURNS = 0.02, 5
WORKERS = ("counterfoil - heartbeat", "counterfoil-stripe - heartbeat")
"""Of each worker the loop that it begins last."""
CODE = re.compile(r"\b\d{6}\b")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a process finds the outside world, and how many seconds before now it lives."""

    home: str
    redis_url: str
    database_url: str
    stripe_url: str
    smtp_port: int
    ago: float = 0.0

    def settings(self) -> Settings:
        return Settings(
            _env_file=None,
            home=Path(self.home),
            redis_url=self.redis_url,
            database_url=self.database_url,
            stripe_sandbox_port=int(self.stripe_url.rpartition(":")[2]),
            smtp_sandbox_port=self.smtp_port,
            codes_per_network=1_000_000,
        )


class NoKnowledge:
    """The policy documents are away: nothing in the matrix asks for them, and opening them takes its time."""

    async def section(self, _document: str, _anchor: str) -> Any:
        raise KnowledgeUnavailable

    async def search(self, *_: Any, **__: Any) -> Any:
        raise KnowledgeUnavailable


async def _waits(*_: object) -> Fate:
    """An instalment falls due at nine in the morning (UTC). Were that in the middle of a matrix, one world would have
    charged it and the next one not: how it is charged is `instalment` in the fault matrix and the schedules.
    """
    return "waits"


@asynccontextmanager
async def whole_server(place: Place, understander: Understander) -> AsyncIterator[Services]:
    """As `counterfoil serve` opens it, but for its port."""
    loaded = Loaded(knowledge=cast("Any", NoKnowledge()), understander=understander)
    earlier = timedelta(seconds=place.ago)
    plugs = partial(open_plugs, clock=lambda: utc_now() - earlier, loaded=loaded)
    app = create_app(place.settings(), plugs=plugs)
    async with app.router.lifespan_context(app):
        yield app.state.services


def server(place: Place, understander: Understander) -> AbstractAsyncContextManager[Services]:
    """For the rest of this process, instalments wait."""
    BY_ACTION["instalment"] = _waits
    return whole_server(place, understander)


async def propose(place: Place, understander: Understander, *, email: str, wish: str) -> dict[str, Any]:
    """A thread with a customer who has just proved who they are, and has been asked: shall I do that?"""
    async with server(place, understander) as services:
        thread = (await open_thread(services, ANYBODY)).id
        await turn(services, thread, wish)
        await turn(services, thread, email)
        await turn(services, thread, await code_for(email, place))
        [action] = await services.ledger.actions(thread=thread)
        said = len(await services.ledger.messages(thread))
        return {"thread": thread, "action": action.id, "state": action.state, "said": said}


async def agree(
    place: Place, understander: Understander, *, thread: str, message: str, deadly: str, count: bool
) -> dict[str, Any]:
    """The customer says yes, and this process works it off, unless it dies of it."""
    points = Watch(deadly=deadly, dirty=_writes_of(place.redis_url) if count else lambda: 0)
    watch(points)
    async with server(place, understander) as services:
        await points.arm(begun=WORKERS)
        run = await asyncio.create_task(_yes(services, thread, message))
        await ended(services, run)
        await points.quiet()
        return {"passed": points.passed if count else []}


async def come_back(
    place: Place, understander: Understander, *, thread: str, action: str, message: str, deadly: str, count: bool
) -> dict[str, Any]:
    """A restarted server. The customer says yes again if nobody has heard it; then all is looked at.

    It may die too: of what it does to mend things, each point counts from the moment it opens.
    """
    points = Watch(deadly=deadly, dirty=_writes_of(place.redis_url) if count else lambda: 0)
    if deadly or count:
        watch(points)
        await points.arm()
    async with server(place, understander) as services:
        runs = await services.ledger.runs(thread, limit=50)
        if message not in {run.payload.get("message_id") for run in runs}:
            await _yes(services, thread, message)
        await _settled(services, thread, action)
        return {"facts": asdict(await facts(services, thread, action)), "passed": points.passed}


async def intents(place: Place, _understander: Understander, *, action: str) -> dict[str, Any]:
    """What the ledger holds, with no server about that could mend it."""
    async with Ledger.open(place.database_url, keys=KEYS) as ledger:
        return {"kept": len(await ledger.effects(action))}


async def facts(services: Services, thread: str, action_id: str) -> Facts:
    ledger = services.ledger
    action = await ledger.action(action_id)
    assert action
    receipt = await ledger.receipt_of(action_id)
    entries = await ledger.audit_entries(limit=10_000)
    return Facts(
        state=action.state,
        states=[event.state for event in await ledger.action_events(action_id)],
        effects=[(effect.outcome, effect.stripe_id) for effect in await ledger.effects(action_id)],
        receipt=receipt.number if receipt else None,
        receipts_issued=sum(e.event == "receipt.issued" and e.data["action"] == action_id for e in entries),
        receipt_verifies=await ledger.verify_receipt(receipt.number) if receipt else None,
        promises=sorted(promise.kind for promise in await ledger.promises(action=action_id) if promise.kind != OUTCOME),
        audit_checked=await ledger.verify_audit(),
        audit_entries=len(entries),
        runs=[run.status for run in await ledger.runs(thread, limit=100)],
        lines=[Line(m.id, m.role, m.text) for m in await ledger.messages(thread)],
    )


async def _settled(services: Services, thread: str, action_id: str) -> None:
    """Until nothing is left to do, and for some turns more: a sweep may have something to add.

    What never comes to rest is looked at as it is.
    """
    now, turns = asyncio.get_running_loop().time, 0
    until = now() + PATIENCE_SECONDS
    while turns < REST_TURNS and now() < until:
        await asyncio.sleep(TURN_SECONDS)
        turns = turns + 1 if await _at_rest(services, thread, action_id) else 0


async def _at_rest(services: Services, thread: str, action_id: str) -> bool:
    if any(run.thread == thread for run in await services.ledger.unfinished_runs()):
        return False
    if await services.ledger.promises_of_ended(OUTCOME):
        return False
    action = await services.ledger.action(action_id)
    assert action
    if action.state == "succeeded":
        return await services.ledger.receipt_of(action_id) is not None
    return action.state in ENDS


async def code_for(email: str, place: Place) -> str:
    """The one that was mailed there last."""
    async with httpx.AsyncClient(base_url=place.stripe_url) as http:
        mails = (await http.get("/_sandbox/inbox", params={"email": email})).json()
    return str(CODE.findall(mails[-1]["text"])[0])


async def turn(services: Services, thread: str, text: str) -> None:
    """Something is said, and answered."""
    run = await say(services, await _thread(services, thread), text, str(uuid4()), by=THEM)
    await ended(services, run)


async def _yes(services: Services, thread: str, message: str) -> Run:
    return await say(services, await _thread(services, thread), YES, message, by=THEM)


async def _thread(services: Services, thread: str) -> Any:
    found = await services.ledger.thread(thread)
    assert found
    return found


async def ended(services: Services, run: Run) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while run.id in {unfinished.id for unfinished in await services.ledger.unfinished_runs()}:  # noqa: ASYNC110
            await asyncio.sleep(TURN_SECONDS)


def _writes_of(redis_url: str) -> Callable[[], int]:
    client = redis.Redis.from_url(redis_url)
    return lambda: int(client.info("persistence")["rdb_changes_since_last_save"])
