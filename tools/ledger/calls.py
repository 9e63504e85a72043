"""The audit log's entries of what models and Stripe were asked, and for whom."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import structlog

from tools.calls import Call, ModelCall, StripeCall, gathering
from tools.errors import Unavailable
from tools.ledger.audit import append
from tools.ledger.repository import Repository

log = structlog.get_logger()


class Calls(Repository):
    @asynccontextmanager
    async def recording(self, **ids: str | None) -> AsyncIterator[None]:
        """Writes down the calls that are made within, with these ids, however the work ends.

        Fails closed: Unavailable when they cannot be written. Work that failed by itself keeps its own error.
        """
        with gathering() as calls:
            try:
                yield
            except BaseException:
                await self._record_after_failure(ids, calls)
                raise
        await self._record(ids, calls)

    async def _record_after_failure(self, ids: dict[str, str | None], calls: list[Call]) -> None:
        try:
            await self._record(ids, calls)
        except Unavailable:
            log.warning("calls.unrecorded", calls=len(calls), **ids)

    async def _record(self, ids: dict[str, str | None], calls: list[Call]) -> None:
        if not calls:
            return
        now = self._now()
        stripe = [asdict(call) for call in calls if isinstance(call, StripeCall)]
        async with self._database.write() as connection:
            for call in calls:
                if isinstance(call, ModelCall):
                    said = {**asdict(call), "cost_micro_usd": call.cost_micro_usd}
                    await append(connection, now, "model.called", ids | said)
            if stripe:
                await append(connection, now, "stripe.called", ids | {"calls": stripe})
