"""Stripe's events: verified, written down once, acknowledged at once, and worked off by a worker.

The ledger is the inbox; docket only says that there is something in it. A worker claims an event for a while, so one
that was killed leaves it to the sweep. What cannot be done now is tried again, ever later, for as long as Stripe itself
would have gone on delivering it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

import structlog
from docket import Docket
from langchain_core.utils.uuid import uuid7
from redis.exceptions import RedisError

from graphs.settings import Settings
from server.metrics import Metrics
from server.runs.queue import working
from server.stripe_reactions import Reactions
from server.tasks import background, end
from tools.billing.webhooks import StripeEvent, misfit, verify
from tools.errors import CounterfoilError, InvalidRequest, WebhooksOff
from tools.ledger.ledger import Ledger
from tools.ledger.types import InboxEvent

log = structlog.get_logger()

CONCURRENCY = 4
SWEEP_SECONDS = 5.0
LEASE = timedelta(minutes=2)
"""Longer than everything that an event may lead to, Stripe's slowest answers included."""
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(hours=1)
MOST_ATTEMPTS = 80
"""Three days."""


@dataclass(kw_only=True)
class StripeInbox:
    """Its docket is its own: a burst of events must not keep conversations waiting."""

    settings: Settings
    ledger: Ledger
    reactions: Reactions
    metrics: Metrics
    docket: Docket
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        url: str,
        settings: Settings,
        ledger: Ledger,
        reactions: Reactions,
        metrics: Metrics,
        works: bool = True,
    ) -> AsyncIterator[Self]:
        """With a worker in this process, unless others do the work.

        On leaving, what is under way is cut off and left to the next.
        """
        async with AsyncExitStack() as stack:
            docket = await stack.enter_async_context(
                Docket(name="counterfoil-stripe", url=url, execution_ttl=timedelta(minutes=1))
            )
            inbox = cls(settings=settings, ledger=ledger, reactions=reactions, metrics=metrics, docket=docket)
            docket.register(inbox.process, names=["process_stripe_event"])
            if works:
                await stack.enter_async_context(working(docket, concurrency=CONCURRENCY))
                stack.callback(inbox._stopping.set)
                await stack.enter_async_context(background(inbox.sweep()))
            yield inbox

    def verified(self, payload: bytes, signature: str | None) -> StripeEvent:
        """Raises `WebhooksOff`, `SignatureInvalid` or `NoEvent`."""
        if not self.settings.webhook_secrets:
            raise WebhooksOff
        try:
            return verify(payload, signature, self.settings.webhook_secrets, datetime.now(UTC))
        except InvalidRequest:
            self._count("unverified", "refused")
            raise

    async def receive(self, event: StripeEvent) -> None:
        """Raises `Unavailable` when it cannot be written down."""
        strange = misfit(event, live=self.settings.stripe_live)
        new = await self.ledger.record_stripe_event(
            event.id,
            type_=event.type,
            created=event.created,
            kind=event.kind,
            object_=event.object,
            customer=event.customer,
            quarantined=strange,
        )
        self._count(event.type, ("quarantined" if strange else "received") if new else "duplicate")
        if strange:
            log.error("stripe_event.quarantined", event_id=event.id, why=strange, api_version=event.api_version)
        elif new:
            await self._tell(event.id, key=event.id)

    async def _tell(self, event_id: str, *, key: str) -> None:
        try:
            await self.docket.add("process_stripe_event", key=key)(event_id)
        except RedisError:
            log.warning("stripe_event.untold", event_id=event_id)  # it is written down: the sweep will find it

    async def process(self, event_id: str) -> None:
        event = None if self._stopping.is_set() else await self.ledger.claim_stripe_event(event_id, lease=LEASE)
        if event is None:
            return
        work, stopping = asyncio.create_task(self._work_off(event)), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(work, stopping)
        if not work.cancelled() and (error := work.exception()):
            log.warning("stripe_event.left", event_id=event.id, exc_info=error)  # until its lease is over

    async def _work_off(self, event: InboxEvent) -> None:
        try:
            async with self.ledger.recording(stripe_event=event.id):
                reaction = await self.reactions.react(event)
            ended = await self.ledger.settle_stripe_event(event.id, reaction.state, reaction.note, audit=reaction.audit)
        except CounterfoilError as error:
            log.info("stripe_event.put_off", event_id=event.id, attempt=event.attempts, code=error.code)
            await self._put_off(event, error.code)
        except Exception:
            self.metrics.errors.labels("stripe_event").inc()
            log.exception("stripe_event.put_off", event_id=event.id, attempt=event.attempts)
            await self._put_off(event, "unexpected")
        else:
            if ended:
                self._count(event.type, reaction.state)
                log.info("stripe_event.settled", event_id=event.id, type=event.type, note=reaction.note)

    async def _put_off(self, event: InboxEvent, why: str) -> None:
        if event.attempts < MOST_ATTEMPTS:
            await self.ledger.put_off_stripe_event(event.id, until=datetime.now(UTC) + delay(event.attempts), note=why)
        elif await self.ledger.settle_stripe_event(event.id, "failed", why):
            self._count(event.type, "failed")
            log.error("stripe_event.failed", event_id=event.id, type=event.type, why=why)

    async def sweep(self) -> None:
        """Tells the workers of events that are due and that nobody is at work on."""
        while True:
            try:
                for event in await self.ledger.unprocessed_stripe_events():
                    await self._tell(event.id, key=f"{event.id}:{uuid7()}")
            except Exception:
                log.warning("stripe_inbox.sweep_failed", exc_info=True)
            await asyncio.sleep(SWEEP_SECONDS)

    def _count(self, type_: str, state: str) -> None:
        self.metrics.stripe_events.labels(type_, state).inc()


def delay(attempts: int) -> timedelta:
    """Doubling, up to an hour."""
    return min(timedelta(seconds=FIRST_DELAY.total_seconds() * 2.0 ** min(attempts - 1, 20)), LONGEST_DELAY)
