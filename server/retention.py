"""Erases what was kept for long enough, ever again, on every server at once: twice is no more than once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from server.erasure import Eraser
from tools.errors import ThreadBusy
from tools.ledger.ledger import Ledger
from tools.ledger.privacy import UnderWay

log = structlog.get_logger()

SWEEP_SECONDS = 3600.0
ACTOR = "retention"
SETTLED_AFTER = timedelta(hours=1)
"""Who was paused while a conversation was erased has by then written what it had left, and is cleared away too."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Days since the last word in a conversation, and since an event of Stripe's came in. 0: for ever."""

    eraser: Eraser
    conversation_days: int
    stripe_event_days: int
    now: Callable[[], datetime] = _utc_now

    @property
    def ledger(self) -> Ledger:
        return self.eraser.ledger

    async def look(self) -> None:
        """Once over everything whose time is over."""
        await self._clear_again()
        if self.conversation_days:
            await self._erase_idle(self.now() - timedelta(days=self.conversation_days))
        if self.stripe_event_days:
            gone = await self.ledger.forget_stripe_events(self.now() - timedelta(days=self.stripe_event_days))
            log.info("retention.stripe_events", forgotten=gone)

    async def _clear_again(self) -> None:
        for thread, erased_at in await self.ledger.uncleared_erasures():
            await self.eraser.clear(thread)
            if self.now() - erased_at > SETTLED_AFTER:
                await self.ledger.note_cleared(thread)

    async def _erase_idle(self, before: datetime) -> None:
        after = ""
        while idle := await self.ledger.idle_threads(before, after=after):
            for thread in idle:
                await self._erase(thread)
            after = idle[-1]

    async def _erase(self, thread: str) -> None:
        """What is in the way of one must not be in the way of the others."""
        try:
            await self.eraser.erase(thread, actor=ACTOR)
        except (UnderWay, ThreadBusy) as why:
            log.info("retention.put_off", thread=thread, why=why.code)
        except Exception:
            log.warning("retention.failed", thread=thread, exc_info=True)
        else:
            log.info("retention.erased", thread=thread)


async def sweep_retention(retention: Retention, *, every: float = SWEEP_SECONDS) -> None:
    """Goes on for ever."""
    while True:
        try:
            await retention.look()
        except Exception:
            log.warning("retention_sweep.failed", exc_info=True)
        await asyncio.sleep(every)
