"""Open invoices: in instalments, later, corrected, sent again."""

from datetime import UTC, datetime

from nodes.case.deeds.deed import Json, Owed
from tools.billing.powers import MoneyMover
from tools.billing.types import BillingReader
from tools.ledger.types import Action


class PlanDeed:
    """Stripe stops collecting the remainder by itself; each instalment is an action of its own when it is due."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        invoice = await billing.invoice(target)
        return {"invoice": invoice.id, "status": invoice.status, "remaining": invoice.remaining.amount}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        held = await mover.stop_collection(invoice=action.target, action_id=action.id, idempotency_key=key)
        return held.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        return None

    def owed(self, action: Action) -> list[Owed]:
        parts = action.details.get("schedule", [])
        return [
            Owed(
                kind=f"instalment_{place}",
                text=f"instalment of {part['amount']} {action.amount.currency}",
                due=datetime.fromisoformat(part["due"]).replace(tzinfo=UTC),
            )
            for place, part in enumerate(parts, start=1)
        ]
