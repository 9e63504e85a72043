"""A part of an open invoice, charged to the card on its day."""

from nodes.case.deeds.deed import InOneRequest, Json, Owed
from tools.billing.powers import MoneyMover
from tools.billing.types import BillingReader
from tools.errors import BillingRefused, BillingUnavailable, OutcomeUnknown
from tools.ledger.types import Action

_UNDER_WAY = frozenset({"processing", "requires_capture"})
"""Words of Stripe's for money that may still move."""


class InstalmentDeed(InOneRequest):
    """A declined card is a `BillingRefused` whose reason a customer may be told (`DeclineReason`)."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        invoice = await billing.invoice(target)
        return {"invoice": invoice.id, "status": invoice.status, "remaining": invoice.remaining.amount}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        card = action.details.get("payment_method")
        if not card:
            raise BillingRefused(reason="no_payment_method")
        paid = await mover.pay_instalment(
            invoice=action.target,
            customer=action.customer,
            amount=action.amount,
            payment_method=card,
            action_id=action.id,
            idempotency_key=key,
        )
        if paid.status != "succeeded":
            raise OutcomeUnknown
        return paid.payment_intent

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        """One that was made and not charged moves no money by itself; one under way says neither yes nor no yet."""
        ours = [each for each in await billing.instalments(action.customer) if each.action_id == action.id]
        if any(each.status in _UNDER_WAY for each in ours):
            raise BillingUnavailable
        return next((each.payment_intent for each in ours if each.status == "succeeded"), None)

    def owed(self, action: Action) -> list[Owed]:
        """Nothing more: that it is paid on its day is what the plan promised."""
        return []
