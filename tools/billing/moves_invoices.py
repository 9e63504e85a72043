"""Writes to invoices that move no money."""

from datetime import datetime
from typing import TYPE_CHECKING

from tools.billing.translate import charges_in, invoice_of
from tools.billing.types import Invoice
from tools.billing.writer import MAILING, Writer, by, checked, under

if TYPE_CHECKING:
    from stripe.params import InvoiceUpdateParams

_WHOLE = ["payments.data.payment.payment_intent", "discounts.source.coupon"]


class InvoiceMoves(Writer):
    async def stop_collection(
        self, *, invoice: str, until: datetime | None = None, action_id: str, idempotency_key: str
    ) -> Invoice:
        # A plan and a wait for the same invoice are told apart by their marks.
        waiting = by(action_id, "wait") | {"wait_until": until.date().isoformat()} if until else None
        metadata = waiting or by(action_id, "stop_collection")
        change: InvoiceUpdateParams = {"auto_advance": False, "metadata": metadata}
        return await self._update_invoice(invoice, change, idempotency_key)

    async def start_collection(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        change: InvoiceUpdateParams = {"auto_advance": True, "metadata": by(action_id, "start_collection")}
        return await self._update_invoice(invoice, change, idempotency_key)

    async def extend_due_date(self, *, invoice: str, due: datetime, action_id: str, idempotency_key: str) -> Invoice:
        metadata = by(action_id, "extend_due_date")
        change: InvoiceUpdateParams = {"due_date": int(due.timestamp()), "metadata": metadata}
        return await self._update_invoice(invoice, change, idempotency_key)

    async def _update_invoice(self, invoice: str, change: "InvoiceUpdateParams", idempotency_key: str) -> Invoice:
        params: InvoiceUpdateParams = {**change, "expand": _WHOLE}
        return await self._write(
            invoice,
            lambda: self._v1.invoices.update_async(checked(invoice), params, under(idempotency_key)),
            lambda raw: invoice_of(raw, charges_in(raw)),
        )

    async def resend_invoice(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        """Sending takes no metadata, so our action is written down first."""
        async with self._turns.of(invoice):
            await self._retry.write(
                lambda: self._v1.invoices.update_async(
                    checked(invoice), {"metadata": by(action_id, "resend_invoice")}, under(idempotency_key, "mark")
                )
            )
            return await self._send_next(
                lambda: self._v1.invoices.send_invoice_async(
                    invoice, {"expand": _WHOLE}, under(idempotency_key, MAILING)
                ),
                lambda raw: invoice_of(raw, charges_in(raw)),
            )
