"""Money back to where it came from."""

from nodes.case.deeds.deed import InOneRequest, Json, Owed
from nodes.wording.refunds import REFUND_TAKES
from tools.billing.powers import MoneyMover
from tools.billing.types import BillingReader, Charge, RefundReason
from tools.business_days import after_business_days
from tools.ledger.types import Action

REFUND_DAYS = 10
"""Business days from the receipt, the longest that the refund policy names."""


class RefundDeed(InOneRequest):
    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        charge = await billing.charge(target)
        return {
            "charge": charge.id,
            "status": charge.status,
            "captured": charge.captured.amount,
            "refunded": charge.refunded.amount,
            "disputed": charge.disputed,
            "disputes": disputes_in(charge),
        }

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        reason: RefundReason = "duplicate" if action.reason == "duplicate" else "requested_by_customer"
        refund = await mover.refund(
            charge=action.target, amount=action.amount, reason=reason, action_id=action.id, idempotency_key=key
        )
        return refund.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        refunds = await billing.refunds_of(action.target)
        return next((refund.id for refund in refunds if refund.action_id == action.id), None)

    def owed(self, action: Action) -> list[Owed]:
        due = after_business_days(action.updated, REFUND_DAYS)
        return [Owed(kind="refund_arrives", text=f"money back in {REFUND_TAKES}", due=due)]


def disputes_in(*charges: Charge) -> list[str]:
    """Each by what it has come to: `disputed` alone says the same of one that is open and one that was lost."""
    return sorted(f"{dispute.id} {dispute.status}" for charge in charges for dispute in charge.disputes)
