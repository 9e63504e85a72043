"""Writes that move money: refunds, credit, instalments."""

from contextlib import suppress
from typing import TYPE_CHECKING

from tools.billing.powers import CreditLine, CreditReason, Instalment
from tools.billing.translate import Json, refund_of
from tools.billing.translate_credit import credit_entry_of, credit_note_of, instalment_of
from tools.billing.types import CreditEntry, CreditNote, Refund, RefundReason
from tools.billing.writer import Writer, by, checked, under
from tools.errors import BillingRefused, CounterfoilError
from tools.money import Money

if TYPE_CHECKING:
    from stripe.params import CreditNoteCreateParams


class MoneyMoves(Writer):
    async def refund(
        self, *, charge: str, amount: Money, reason: RefundReason, action_id: str, idempotency_key: str
    ) -> Refund:
        """The currency is the charge's own; Stripe takes none here."""
        return await self._write(
            charge,
            lambda: self._v1.refunds.create_async(
                {
                    "charge": checked(charge),
                    "amount": amount.amount,
                    "reason": reason,
                    "metadata": by(action_id),
                },
                under(idempotency_key),
            ),
            refund_of,
        )

    async def credit_note(
        self,
        *,
        invoice: str,
        amount: Money | None,
        lines: tuple[CreditLine, ...] = (),
        refund_amount: Money | None = None,
        credit_amount: Money | None = None,
        reason: CreditReason,
        memo: str = "",
        action_id: str,
        idempotency_key: str,
    ) -> CreditNote:
        """Refused here, before it is sent, when both or neither of `amount` and `lines` are given."""
        if (amount is None) != bool(lines):
            raise BillingRefused(reason="amount_or_lines")
        params: CreditNoteCreateParams = {
            "invoice": checked(invoice),
            "reason": reason,
            "metadata": by(action_id),
        }
        if amount is not None:
            params["amount"] = amount.amount
        if lines:
            params["lines"] = [
                {"type": "invoice_line_item", "invoice_line_item": line.line, "amount": line.amount.amount}
                for line in lines
            ]
        if refund_amount is not None:
            params["refund_amount"] = refund_amount.amount
        if credit_amount is not None:
            params["credit_amount"] = credit_amount.amount
        if memo:
            params["memo"] = memo
        return await self._write(
            invoice, lambda: self._v1.credit_notes.create_async(params, under(idempotency_key)), credit_note_of
        )

    async def add_credit(
        self, *, customer: str, amount: Money, description: str, action_id: str, idempotency_key: str
    ) -> CreditEntry:
        """Stripe counts credit as negative. Taking credit away is no power of ours."""
        if amount.amount <= 0:
            raise BillingRefused(reason="invalid_amount")
        return await self._write(
            customer,
            lambda: self._v1.customers.balance_transactions.create_async(
                checked(customer),
                {
                    "amount": -amount.amount,
                    "currency": amount.currency,
                    "description": description,
                    "metadata": by(action_id),
                },
                under(idempotency_key),
            ),
            credit_entry_of,
        )

    async def pay_instalment(
        self,
        *,
        invoice: str,
        customer: str,
        amount: Money,
        payment_method: str,
        action_id: str,
        idempotency_key: str,
    ) -> Instalment:
        """Made, attached to the invoice, and only then charged: an invoice that refuses it costs nobody anything."""
        async with self._turns.of(customer):
            intent = await self._send(
                lambda: self._v1.payment_intents.create_async(
                    {
                        "amount": amount.amount,
                        "currency": amount.currency,
                        "customer": checked(customer),
                        "payment_method": checked(payment_method),
                        "metadata": {**by(action_id), "invoice": checked(invoice)},
                    },
                    under(idempotency_key, "make"),
                ),
                _id_of,
            )
            try:
                await self._send_next(
                    lambda: self._v1.invoices.attach_payment_async(
                        invoice, {"payment_intent": intent}, under(idempotency_key, "attach")
                    ),
                    _id_of,
                )
                return await self._send_next(
                    lambda: self._v1.payment_intents.confirm_async(
                        intent, {"off_session": True}, under(idempotency_key, "charge")
                    ),
                    instalment_of,
                )
            except BillingRefused:
                await self._drop(intent, idempotency_key)
                raise

    async def _drop(self, intent: str, idempotency_key: str) -> None:
        # An intent that stays charges nobody by itself; what failed before it is what the caller must hear.
        with suppress(CounterfoilError):
            await self._retry.write(
                lambda: self._v1.payment_intents.cancel_async(intent, {}, under(idempotency_key, "drop"))
            )


def _id_of(raw: Json) -> str:
    return str(raw["id"])
