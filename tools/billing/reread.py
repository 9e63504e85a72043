"""Objects that a webhook named, as Stripe has them now: deliveries come late, twice and out of order."""

from dataclasses import dataclass
from typing import cast, get_args

import stripe

from tools.billing.ids import is_stripe_id
from tools.billing.pages import everything, one
from tools.billing.retry import Retry
from tools.billing.translate import Json, clean, identifier
from tools.billing.types import RefundStatus
from tools.errors import NotFound
from tools.money import Money


@dataclass(frozen=True, kw_only=True)
class RefundNow:
    id: str
    charge: str | None
    amount: Money
    status: RefundStatus
    action_id: str | None
    """Our action id from the metadata, which anybody with the dashboard can write."""
    reference: str | None
    """The bank's own (ARN), once it has one. It is there when the refund was sent, not when it arrived."""
    failure_reason: str | None


@dataclass(frozen=True, kw_only=True)
class DisputeNow:
    id: str
    charge: str | None
    status: str


class StripeRereader:
    """Raises `NotFound` and `BillingUnavailable`."""

    def __init__(self, client: stripe.StripeClient, retry: Retry) -> None:
        self._v1 = client.v1
        self._retry = retry

    async def refund(self, refund: str) -> RefundNow:
        return _refund(await one(self._retry, lambda: self._v1.refunds.retrieve_async(_checked(refund))))

    async def refunds_of(self, charge: str) -> tuple[RefundNow, ...]:
        found = await everything(self._retry, self._v1.refunds.list_async, {"charge": _checked(charge)})
        return tuple(map(_refund, found))

    async def dispute(self, dispute: str) -> DisputeNow:
        raw = await one(self._retry, lambda: self._v1.disputes.retrieve_async(_checked(dispute)))
        return DisputeNow(id=raw["id"], charge=identifier(raw.get("charge")), status=clean(raw["status"], longest=40))


def _refund(raw: Json) -> RefundNow:
    status = raw.get("status")
    details = raw.get("destination_details") or {}
    return RefundNow(
        id=raw["id"],
        charge=identifier(raw.get("charge")),
        amount=Money(raw["amount"], raw["currency"]),
        # A status that we do not know says nothing that may be told.
        status=cast("RefundStatus", status) if status in get_args(RefundStatus) else "pending",
        action_id=clean((raw.get("metadata") or {}).get("action_id"), longest=100) or None,
        reference=clean((details.get(details.get("type")) or {}).get("reference"), longest=100) or None,
        failure_reason=clean(raw.get("failure_reason"), longest=100) or None,
    )


def _checked(stripe_id: str) -> str:
    if not is_stripe_id(stripe_id):
        raise NotFound
    return stripe_id
