"""What a colleague proposes for a customer, put together from what Stripe says: they name it, code reads the facts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from nodes.resolving.charges import refund_of
from nodes.resolving.invoices import resending
from nodes.resolving.matter import Matter, Proposal, request_on
from nodes.resolving.plans import due_of, extension
from nodes.resolving.stopping import cancellation
from tools.billing.types import Charge, Invoice, Subscription
from tools.errors import Conflict, NotFound, Unprocessable
from tools.money import Money
from tools.policy.types import ActionKind, Ground

Owned = TypeVar("Owned", Charge, Invoice, Subscription)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """In a colleague's words. `amount` is in minor units of the target's own currency; None is all that there is."""

    kind: ActionKind
    target: str
    ground: Ground
    amount: int | None = None
    new_due: date | None = None
    memo: str = ""


def proposal_of(wanted: Wanted, known: Matter) -> Proposal:
    """Raises `NotFound` for what is not this customer's, `Unprocessable` and `Conflict` for what cannot be meant."""
    make = MAKERS.get(wanted.kind)
    if make is None:
        raise Unprocessable(f"kind: a colleague cannot propose {wanted.kind!r}.")
    proposal = make(wanted, known)
    request = replace(proposal.request, ground=wanted.ground, by_staff=True)
    return replace(proposal, request=request)


def _refund(wanted: Wanted, known: Matter) -> Proposal:
    charge = _owned(known.picture.charges, wanted.target, "charge")
    return refund_of(known, charge, wanted.ground, amount=_amount(wanted, charge.refundable))


def _credit_note(wanted: Wanted, known: Matter) -> Proposal:
    """On an open invoice it lowers what remains; on a paid one it goes to the credit balance."""
    invoice = _owned(known.picture.invoices, wanted.target, "invoice")
    if invoice.status not in {"open", "paid"}:
        raise Conflict(f"This invoice is {invoice.status}, so nothing can be credited on it.")
    left = invoice.remaining if invoice.status == "open" else _creditable(invoice)
    request = request_on(known, "credit_note", invoice, _amount(wanted, left))
    details = {"number": invoice.number, "invoice_status": invoice.status, "memo": wanted.memo}
    return Proposal(request=replace(request, refundable=left), details=details | {"evidence_ids": [invoice.id]})


def _creditable(invoice: Invoice) -> Money:
    return invoice.total - invoice.credited if invoice.credited else invoice.total


def _extension(wanted: Wanted, known: Matter) -> Proposal:
    invoice = _owned(known.picture.invoices, wanted.target, "invoice")
    if wanted.new_due is None:
        raise Unprocessable("new_due: say until when the invoice may be paid.")
    if invoice.status != "open" or not invoice.remaining:
        raise Conflict("Nothing is left to pay on this invoice.")
    if wanted.new_due <= max(due_of(invoice), known.now.date()):
        raise Unprocessable("new_due: the new date has to be later than the old one, and later than today.")
    return extension(known, invoice, wanted.new_due)


def _resending(wanted: Wanted, known: Matter) -> Proposal:
    return resending(known, _owned(known.picture.invoices, wanted.target, "invoice"))


def _cancellation(wanted: Wanted, known: Matter) -> Proposal:
    plan = _owned(known.picture.subscriptions, wanted.target, "subscription")
    if plan.cancel_at_period_end or plan.ended_at is not None:
        raise Conflict("This subscription ends already.")
    return cancellation(known, plan)


def _owned(entries: tuple[Owned, ...], target: str, what: str) -> Owned:
    """The picture holds this customer's alone, so what is somebody else's looks like nothing."""
    for entry in entries:
        if entry.id == target:
            return entry
    raise NotFound(f"This customer has no such {what}.")


def _amount(wanted: Wanted, whole: Money) -> Money:
    if not whole:
        raise Conflict("There is nothing left of it to give back.")
    return whole if wanted.amount is None else Money(wanted.amount, whole.currency)


MAKERS: dict[ActionKind, Callable[[Wanted, Matter], Proposal]] = {
    "refund": _refund,
    "credit_note": _credit_note,
    "extend_due_date": _extension,
    "resend_invoice": _resending,
    "cancel_subscription": _cancellation,
}
