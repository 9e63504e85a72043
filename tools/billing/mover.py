"""The only writes to Stripe. Nothing is looked up here: the caller reads again before it acts."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stripe

from tools.billing.ids import checked_key, is_stripe_id
from tools.billing.retry import Retry
from tools.billing.translate import Json, charges_in, invoice_of, names_in, refund_of, subscription_of
from tools.billing.turns import Turns
from tools.billing.types import Invoice, Refund, RefundReason, Subscription
from tools.errors import BillingRefused, OutcomeUnknown
from tools.money import Money

Result = TypeVar("Result")


class StripeMover:
    """A `MoneyMover`. Repeats are safe for a day: Stripe answers the same key with the same result."""

    def __init__(self, client: stripe.StripeClient, *, retry: Retry, turns: Turns | None = None) -> None:
        self._v1 = client.v1
        self._retry = retry
        self._turns = turns or Turns()

    async def refund(
        self, *, charge: str, amount: Money, reason: RefundReason, action_id: str, idempotency_key: str
    ) -> Refund:
        """The currency is the charge's own; Stripe takes none here."""
        return await self._write(
            charge,
            lambda: self._v1.refunds.create_async(
                {
                    "charge": _checked(charge),
                    "amount": amount.amount,
                    "reason": reason,
                    "metadata": {"action_id": action_id},
                },
                {"idempotency_key": checked_key(idempotency_key)},
            ),
            refund_of,
        )

    async def cancel_at_period_end(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        return await self._write(
            subscription,
            lambda: self._v1.subscriptions.update_async(
                _checked(subscription),
                {
                    "cancel_at_period_end": True,
                    "metadata": {"action_id": action_id},
                    "expand": ["items.data.price.product"],
                },
                {"idempotency_key": checked_key(idempotency_key)},
            ),
            lambda raw: subscription_of(raw, names_in(raw)),
        )

    async def stop_collection(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        return await self._write(
            invoice,
            lambda: self._v1.invoices.update_async(
                _checked(invoice),
                {
                    "auto_advance": False,
                    "metadata": {"action_id": action_id},
                    "expand": ["payments.data.payment.payment_intent"],
                },
                {"idempotency_key": checked_key(idempotency_key)},
            ),
            lambda raw: invoice_of(raw, charges_in(raw)),
        )

    async def _write(
        self, target: str, request: Callable[[], Awaitable[stripe.StripeObject]], into: Callable[[Json], Result]
    ) -> Result:
        async with self._turns.of(target):
            answer = await self._retry.write(request)
        try:
            return into(answer.to_dict())
        except (KeyError, TypeError, ValueError, IndexError) as error:
            # Stripe has acted, so an answer that we cannot read must not look like a failure.
            raise OutcomeUnknown from error


def _checked(stripe_id: str) -> str:
    if not is_stripe_id(stripe_id):
        raise BillingRefused(reason="resource_missing")
    return stripe_id
