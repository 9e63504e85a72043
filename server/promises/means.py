"""What looking after promises takes, and what may come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import structlog

from graphs.cases import GraphCases
from server.metrics import Metrics
from server.runs.queue import RunQueue
from server.stripe_reactions import Reactions
from tools.billing.types import BillingReader
from tools.errors import BillingRefused
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action

log = structlog.get_logger()

Fate = Literal["kept", "dropped", "overdue", "waits"]
"""`waits`: something else has to come first; look again."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Means:
    ledger: Ledger
    billing: BillingReader
    cases: GraphCases
    queue: RunQueue
    reactions: Reactions
    metrics: Metrics
    now: Callable[[], datetime] = _utc_now

    async def collect_again(self, action: Action) -> None:
        """Stripe collects the invoice by itself again, which this action had stopped. A repeat does no harm.

        Where Stripe refuses it, the invoice is no longer to be collected: that is noted, and what follows goes on.
        """
        try:
            await self.cases.context.mover.start_collection(
                invoice=action.target, action_id=action.id, idempotency_key=f"counterfoil:collect_again:{action.id}"
            )
        except BillingRefused as refused:
            log.warning("collection.refused", action_id=action.id, invoice=action.target, reason=refused.reason)
            return
        await self.ledger.audit("collection.started", invoice=action.target, action=action.id)
