"""Writes to invoices that move no money."""

from datetime import datetime

from tools.billing.translate import charges_in, invoice_of
from tools.billing.types import Invoice
from tools.billing.writer import Writer, by, checked, under

_WHOLE = ["payments.data.payment.payment_intent", "discounts.source.coupon"]


class InvoiceMoves(Writer):
    async def stop_collection(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        return await self._write(
            invoice,
            lambda: self._v1.invoices.update_async(
                checked(invoice),
                {"auto_advance": False, "metadata": by(action_id), "expand": _WHOLE},
                under(idempotency_key),
            ),
            lambda raw: invoice_of(raw, charges_in(raw)),
        )

    async def extend_due_date(self, *, invoice: str, due: datetime, action_id: str, idempotency_key: str) -> Invoice:
        return await self._write(
            invoice,
            lambda: self._v1.invoices.update_async(
                checked(invoice),
                {"due_date": int(due.timestamp()), "metadata": by(action_id), "expand": _WHOLE},
                under(idempotency_key),
            ),
            lambda raw: invoice_of(raw, charges_in(raw)),
        )

    async def resend_invoice(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        """Sending takes no metadata, so our action is written down first."""
        async with self._turns.of(invoice):
            await self._retry.write(
                lambda: self._v1.invoices.update_async(
                    checked(invoice), {"metadata": by(action_id)}, under(idempotency_key, "mark")
                )
            )
            return await self._send_next(
                lambda: self._v1.invoices.send_invoice_async(
                    invoice, {"expand": _WHOLE}, under(idempotency_key, "send")
                ),
                lambda raw: invoice_of(raw, charges_in(raw)),
            )
