"""Invoices: in instalments, later, corrected, sent again."""

from datetime import date, timedelta

from nodes.case.deeds.deed import InOneRequest, Json, Owed, idempotency_key
from nodes.case.deeds.refunds import disputes_in
from nodes.case.deeds.saying import when
from tools.billing.powers import CreditReason, MoneyMover
from tools.billing.types import BillingReader, Invoice
from tools.business_days import opening
from tools.errors import NotFound
from tools.ledger.types import Action
from tools.money import Money

_CLOCKS_DIFFER = timedelta(hours=1)
_CREDIT_REASONS: dict[str, CreditReason] = {"duplicate": "duplicate", "goodwill": "product_unsatisfactory"}


def to_be_paid(invoice: Invoice) -> Json:
    """What whoever agreed to pay it later or in parts agreed to."""
    return {"invoice": invoice.id, "status": invoice.status, "remaining": invoice.remaining.amount}


class PlanDeed(InOneRequest):
    """Stripe stops collecting the remainder by itself; each instalment is an action of its own when it is due."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        return to_be_paid(await billing.invoice(target))

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        held = await mover.stop_collection(invoice=action.target, action_id=action.id, idempotency_key=key)
        return held.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        """By the mark that is written with the change. A colleague who starts collection again leaves it there."""
        invoice = await billing.invoice(action.target)
        return invoice.id if action.id in invoice.actions else None

    def owed(self, action: Action) -> list[Owed]:
        currency = action.amount.currency
        return [
            Owed(
                kind=f"instalment_{place}",
                text=f"instalment of {Money(part['amount'], currency).text()}",
                due=opening(date.fromisoformat(part["due"])),
            )
            for place, part in enumerate(action.details.get("schedule", []), start=1)
        ]


class ExtendDueDateDeed(PlanDeed):
    """The date of a final invoice cannot be moved at Stripe: we stop collecting, and wait until the new one is over."""

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        until = when(action.details["new_due"])
        held = await mover.stop_collection(invoice=action.target, until=until, action_id=action.id, idempotency_key=key)
        return held.id

    def owed(self, action: Action) -> list[Owed]:
        """Until the end of that day."""
        due = when(action.details["new_due"]).replace(hour=23, minute=59, second=59)
        return [Owed(kind="payment_due", text=f"payment of {action.amount.text()}", due=due)]


class CreditNoteDeed(InOneRequest):
    """On an open invoice it lowers what remains; on a paid one all of it goes to the credit balance."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        """With what was given back or contested by other ways: the same wrong must not be made good twice."""
        invoice = await billing.invoice(target)
        charges = [await billing.charge(charge) for charge in invoice.charges]
        credited = invoice.credited.amount if invoice.credited else 0
        returned = {"credited": credited, "refunded": sum(charge.refunded.amount for charge in charges)}
        return to_be_paid(invoice) | returned | {"disputes": disputes_in(*charges)}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        paid = action.details["invoice_status"] == "paid"
        note = await mover.credit_note(
            invoice=action.target,
            amount=action.amount,
            credit_amount=action.amount if paid else None,
            reason=_CREDIT_REASONS.get(action.reason, "order_change"),
            memo=action.details.get("memo") or "",
            action_id=action.id,
            idempotency_key=key,
        )
        return note.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        notes = await billing.credit_notes(action.customer)
        return next((note.id for note in notes if note.action_id == action.id), None)

    def owed(self, action: Action) -> list[Owed]:
        return []


class ResendInvoiceDeed(InOneRequest):
    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        """Stripe mails to the address that the customer has by then, so that is what was agreed to."""
        invoice = await billing.invoice(target)
        if invoice.customer is None:
            raise NotFound
        customer = await billing.customer(invoice.customer)
        return {"invoice": invoice.id, "status": invoice.status, "email": customer.email}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        sent = await mover.resend_invoice(invoice=action.target, action_id=action.id, idempotency_key=key)
        return sent.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        """Our mark on the invoice comes before the mail: without it there was none, with it Stripe's events tell.

        None where they do not: a repeat is then for Stripe to refuse, as its key is still known, or mails once more.
        A mail that came twice is better than one that never went.
        """
        invoice = await billing.invoice(action.target)
        if action.id not in invoice.actions:
            return None
        key, since = idempotency_key(action), action.updated - _CLOCKS_DIFFER
        return invoice.id if await billing.was_mailed(invoice.id, idempotency_key=key, since=since) else None

    def owed(self, action: Action) -> list[Owed]:
        return []
