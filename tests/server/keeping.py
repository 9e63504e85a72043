"""The real conversation and real cases over a clock of our own, and whoever looks after promises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import redis.asyncio

from graphs import action, support
from graphs.cases import GraphCases
from graphs.redis_saver import RedisSaver
from nodes.context import CaseContext, Context
from server.case_sweep import expire_overdue, take_up
from server.events import EventLog
from server.metrics import Metrics
from server.promises.means import Means
from server.promises.sweep import look_after_due, look_after_overdue
from server.runs.executor import Executor
from server.runs.queue import RunQueue
from server.stripe_reactions import Reactions
from tests.fixtures.keys import KEYS
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.wishes import duplicate_of_ada, refund_of, year_of_grace
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.identity.verifier import Verifier
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, Promise
from tools.policy.engine import PolicyEngine
from tools.policy.types import ActionRequest
from tools.voice.voice import Voice

THREAD = "thread"


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass(kw_only=True)
class Keeping:
    means: Means
    clock: Clock
    sandbox: Sandbox
    billing: StripeBilling

    @property
    def ledger(self) -> Ledger:
        return self.means.ledger

    @property
    def cases(self) -> GraphCases:
        return self.means.cases

    async def at(self, moment: datetime, *, sweeps: int = 4) -> list[str]:
        """It is then: everything that is due is looked after, and the words are out."""
        self.clock.now = moment
        for _ in range(sweeps):
            await expire_overdue(self.cases, self.means.queue)
            for unfinished in await self.ledger.unfinished_actions():
                await take_up(unfinished, self.cases, self.means.queue)
            await look_after_due(self.means)
            await look_after_overdue(self.means)
            await self.quiet()
        return await self.said()

    async def quiet(self) -> None:
        """Every run of the conversation is over."""
        async with asyncio.timeout(20):
            while await self.means.ledger.unfinished_runs(THREAD):  # noqa: ASYNC110 - its worker has no event
                await asyncio.sleep(0.02)

    async def said(self) -> list[str]:
        """By the assistant."""
        return [message.text for message in await self.ledger.messages(THREAD) if message.role == "assistant"]

    async def promise(self, action_id: str | None = None, kind: str = "") -> Promise:
        """The one that there is."""
        found = await self.ledger.promises(thread=THREAD, action=action_id)
        [only] = [promise for promise in found if promise.kind == kind or not kind]
        return only

    async def fates(self, action_id: str) -> dict[str, str]:
        return {promise.kind: fate(promise) for promise in await self.ledger.promises(action=action_id)}

    async def propose(self, request: ActionRequest, details: dict[str, Any]) -> Action:
        case = await self.cases.open(str(uuid4()), thread=THREAD, request=request, details=details)
        assert case.action is not None, case.verdict
        return case.action

    async def agreed(self, request: ActionRequest, details: dict[str, Any]) -> Action:
        proposed = await self.propose(request, details)
        case = await self.cases.confirm(proposed.id, digest=proposed.digest)
        assert case.action is not None
        return case.action

    async def duplicate_of_ada(self) -> ActionRequest:
        """Refunded at once."""
        return await duplicate_of_ada(self.billing)

    async def charge_of_ada(self, card: str) -> ActionRequest:
        """A charge of hers on this test card, to be refunded within the window."""
        [ada] = await self.billing.find_by_email("ada@example.com")
        paid = self.sandbox.stripe().v1.payment_intents.create(
            {"amount": 4900, "currency": "usd", "customer": ada.id, "payment_method": card, "confirm": True}
        )
        return refund_of(await self.billing.charge(str(paid.latest_charge)), ada.id, "within_window")

    async def year_of_grace(self) -> ActionRequest:
        """Above the limit, so a person decides."""
        return await year_of_grace(self.billing)


def fate(promise: Promise) -> str:
    if promise.kept_at:
        return "kept"
    return "dropped" if promise.dropped_at else "overdue" if promise.overdue_at else "open"


REFUND: dict[str, Any] = {"last4": "4242", "brand": "visa"}


@asynccontextmanager
async def keeping(ledger_url: str, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Keeping]:
    clock = Clock()
    async with (
        Ledger.open(ledger_url, clock=clock, keys=KEYS) as ledger,
        redis.asyncio.Redis.from_url(redis_url) as client,
        StripeBilling.open(sandbox.api_key, sandbox.url, retry=Retry(attempts=1)) as billing,
        EventLog.open(redis_url, keys=KEYS) as events,
    ):
        saver = RedisSaver(client)
        case_context = CaseContext(
            billing=billing, mover=billing.mover(), policy=PolicyEngine.load(), ledger=ledger, now=clock
        )
        cases = GraphCases(graph=action.builder.compile(checkpointer=saver), context=case_context)
        nothing = cast("Any", SimpleNamespace())
        context = Context(
            billing=billing,
            knowledge=nothing,
            understander=nothing,
            ledger=ledger,
            verifier=Verifier(client, ledger, nothing, nothing, pepper=b"p" * 32, keys=KEYS),
            voice=Voice(),
            cases=cases,
            company="Acme",
            now=clock,
        )
        metrics = Metrics()
        executor = Executor(
            redis=client,
            ledger=ledger,
            events=events,
            metrics=metrics,
            graphs={"support": support.builder.compile(checkpointer=saver, name="support")},
            context=context,
            author="Acme assistant",
        )
        async with RunQueue.open(url=redis_url, ledger=ledger, executor=executor) as queue:
            await ledger.create_thread(THREAD, "somebody", {})
            reactions = Reactions(ledger=ledger, billing=billing, cases=cases, queue=queue)
            means = Means(
                ledger=ledger,
                billing=billing,
                cases=cases,
                queue=queue,
                reactions=reactions,
                metrics=metrics,
                now=clock,
            )
            yield Keeping(means=means, clock=clock, sandbox=sandbox, billing=billing)


DAY = timedelta(days=1)
