"""Writes to subscriptions."""

from datetime import datetime
from typing import TYPE_CHECKING

from tools.billing.powers import PauseBehaviour, PlanChange
from tools.billing.preview import PRORATION, changed_item
from tools.billing.translate import Json
from tools.billing.translate_plans import names_in, subscription_of
from tools.billing.types import Subscription
from tools.billing.writer import Writer, by, checked, under
from tools.errors import BillingRefused, BillingUnavailable, NotFound, NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams

_ENDED = frozenset({"canceled", "incomplete_expired"})
_WHOLE = ["items.data.price.product", "discounts.source.coupon"]


class PlanMoves(Writer):
    async def cancel_at_period_end(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        return await self._update(
            subscription, {"cancel_at_period_end": True}, by(action_id, "cancel_at_period_end"), idempotency_key
        )

    async def undo_cancel(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        """An end on a day of its own is no period's end for Stripe, and has to be unset by its own name."""
        plan = await self._update(
            subscription, {"cancel_at_period_end": False}, by(action_id, "undo_cancel"), idempotency_key
        )
        if plan.cancel_at is None:
            return plan
        try:
            return await self._update(
                subscription, {"cancel_at": ""}, by(action_id, "undo_cancel"), f"{idempotency_key}:date"
            )
        except NotSent as error:
            raise OutcomeUnknown from error

    async def cancel_now(
        self, *, subscription: str, credit_unused: bool, action_id: str, idempotency_key: str
    ) -> Subscription:
        """Stripe heeds no key when it deletes, and keeps a canceled subscription as it is: our action goes first."""
        async with self._turns.of(subscription):
            before = await self._send(
                lambda: self._v1.subscriptions.update_async(
                    checked(subscription), {"metadata": by(action_id)}, under(idempotency_key, "mark")
                ),
                _status_in,
            )
            if before in _ENDED:
                raise BillingRefused(reason="resource_missing")
            try:
                return await self._send_next(
                    lambda: self._v1.subscriptions.cancel_async(
                        subscription,
                        {"prorate": credit_unused, "invoice_now": credit_unused, "expand": _WHOLE},
                        under(idempotency_key, "cancel"),
                    ),
                    _plan_in,
                )
            except BillingRefused as refused:
                if refused.reason != "resource_missing":
                    raise
                return await self._ended_by(subscription, action_id, refused)

    async def _ended_by(self, subscription: str, action_id: str, refused: BillingRefused) -> Subscription:
        """There is nothing to cancel, yet it was alive when this key was first used: perhaps it was us."""
        try:
            raw = await self._retry.read(
                lambda: self._v1.subscriptions.retrieve_async(subscription, {"expand": [*_WHOLE]})
            )
        except (BillingUnavailable, NotFound) as error:
            raise OutcomeUnknown from error
        plan = _plan_in(raw.to_dict())
        if plan.status in _ENDED and plan.action_id == action_id:
            return plan
        raise refused

    async def pause_collection(
        self,
        *,
        subscription: str,
        resumes_at: datetime | None,
        behaviour: PauseBehaviour = "void",
        action_id: str,
        idempotency_key: str,
    ) -> Subscription:
        until = {"resumes_at": int(resumes_at.timestamp())} if resumes_at else {}
        pause: SubscriptionUpdateParams = {"pause_collection": {"behavior": behaviour, **until}}  # type: ignore[typeddict-item]  # theirs
        return await self._update(subscription, pause, by(action_id, "pause_collection"), idempotency_key)

    async def resume_collection(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        return await self._update(
            subscription, {"pause_collection": ""}, by(action_id, "resume_collection"), idempotency_key
        )

    async def change_subscription(
        self, *, subscription: str, change: PlanChange, action_id: str, idempotency_key: str
    ) -> Subscription:
        wanted: SubscriptionUpdateParams = {
            "items": [changed_item(change)],
            "proration_behavior": PRORATION[change.billed],
            "proration_date": int(change.proration_date.timestamp()),
            # Otherwise a declined card would leave the new plan in place, and an invoice that nobody paid.
            "payment_behavior": "error_if_incomplete",
        }
        return await self._update(subscription, wanted, by(action_id, "change_subscription"), idempotency_key)

    async def _update(
        self, subscription: str, change: "SubscriptionUpdateParams", mark: dict[str, str], idempotency_key: str
    ) -> Subscription:
        params: SubscriptionUpdateParams = {**change, "metadata": mark, "expand": _WHOLE}
        return await self._write(
            subscription,
            lambda: self._v1.subscriptions.update_async(checked(subscription), params, under(idempotency_key)),
            _plan_in,
        )


def _status_in(raw: Json) -> str:
    return str(raw["status"])


def _plan_in(raw: Json) -> Subscription:
    return subscription_of(raw, names_in(raw))
