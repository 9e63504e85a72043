"""The facts at Stripe that a proposal rests on, and that must still hold when it is carried out."""

from typing import Any

from tools.billing.types import BillingReader
from tools.policy.types import ActionKind


async def read_evidence(billing: BillingReader, kind: ActionKind, target: str) -> dict[str, Any]:
    """As flat JSON, so that it goes into the digest. Raises `BillingUnavailable` or `NotFound`."""
    match kind:
        case "refund":
            charge = await billing.charge(target)
            return {
                "charge": charge.id,
                "status": charge.status,
                "captured": charge.captured.amount,
                "refunded": charge.refunded.amount,
                "disputed": charge.disputed,
            }
        case "cancel_subscription":
            subscription = await billing.subscription(target)
            return {
                "subscription": subscription.id,
                "status": subscription.status,
                "period_end": subscription.period_end.isoformat(),
                "cancel_at_period_end": subscription.cancel_at_period_end,
            }
        case "payment_plan":
            invoice = await billing.invoice(target)
            return {"invoice": invoice.id, "status": invoice.status, "remaining": invoice.remaining.amount}
