"""Ends and changes of subscriptions."""

from nodes.case.deeds.deed import Json, Owed
from tools.billing.powers import MoneyMover
from tools.billing.types import BillingReader
from tools.ledger.types import Action


class CancelDeed:
    """At the end of the paid period."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        subscription = await billing.subscription(target)
        return {
            "subscription": subscription.id,
            "status": subscription.status,
            "period_end": subscription.period_end.isoformat(),
            "cancel_at_period_end": subscription.cancel_at_period_end,
        }

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        ended = await mover.cancel_at_period_end(subscription=action.target, action_id=action.id, idempotency_key=key)
        return ended.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        subscription = await billing.subscription(action.target)
        return subscription.id if subscription.cancel_at_period_end else None

    def owed(self, action: Action) -> list[Owed]:
        return []
