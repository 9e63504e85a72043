"""What looking after promises takes, and what may come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from graphs.cases import GraphCases
from server.metrics import Metrics
from server.runs.queue import RunQueue
from server.stripe_reactions import Reactions
from tools.billing.types import BillingReader
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action

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
        """Stripe collects the invoice by itself again, which this action had stopped. A repeat does no harm."""
        await self.cases.context.mover.start_collection(
            invoice=action.target, action_id=action.id, idempotency_key=f"counterfoil:collect_again:{action.id}"
        )
        await self.ledger.audit("collection.started", invoice=action.target, action=action.id)
