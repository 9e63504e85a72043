"""What a colleague proposes for a customer, put together from what Stripe says: they name it, code reads the facts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

from nodes.resolving.charges import refund_of
from nodes.resolving.matter import Matter, Proposal
from tools.billing.types import BillingPicture, Charge, Invoice, Subscription
from tools.errors import Conflict, NotFound, Unprocessable
from tools.ledger.types import Action
from tools.money import Money
from tools.policy.types import ActionKind, ActionRequest, Ground

Json = dict[str, Any]
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


@dataclass(frozen=True, kw_only=True)
class Known:
    picture: BillingPicture
    actions: tuple[Action, ...]
    now: datetime


def proposal_of(wanted: Wanted, known: Known) -> Proposal:
    """Raises `NotFound` for what is not this customer's, `Unprocessable` and `Conflict` for what cannot be meant."""
    make = MAKERS.get(wanted.kind)
    if make is None:
        raise Unprocessable(f"kind: a colleague cannot propose {wanted.kind!r}.")
    proposal = make(wanted, known)
    request = replace(proposal.request, ground=wanted.ground, by_staff=True)
    return replace(proposal, request=request)


def _refund(wanted: Wanted, known: Known) -> Proposal:
    charge = _owned(known.picture.charges, wanted.target, "charge")
    matter = Matter(goal="refund_request", picture=known.picture, details={}, passages=(), now=known.now)
    amount = _amount(wanted, charge.refundable)
    return refund_of(matter, charge, wanted.ground, amount=amount)


def _credit_note(wanted: Wanted, known: Known) -> Proposal:
    """On an open invoice it lowers what remains; on a paid one it goes to the credit balance."""
    invoice = _owned(known.picture.invoices, wanted.target, "invoice")
    if invoice.status not in {"open", "paid"}:
        raise Conflict(f"This invoice is {invoice.status}, so nothing can be credited on it.")
    left = invoice.remaining if invoice.status == "open" else _creditable(invoice)
    details = {"number": invoice.number, "invoice_status": invoice.status, "memo": wanted.memo}
    return _of_invoice(known, invoice, kind="credit_note", amount=_amount(wanted, left), most=left, details=details)


def _creditable(invoice: Invoice) -> Money:
    return invoice.total - invoice.credited if invoice.credited else invoice.total


def _extension(wanted: Wanted, known: Known) -> Proposal:
    invoice = _owned(known.picture.invoices, wanted.target, "invoice")
    if wanted.new_due is None:
        raise Unprocessable("new_due: say until when the invoice may be paid.")
    if invoice.status != "open" or not invoice.remaining:
        raise Conflict("Nothing is left to pay on this invoice.")
    due = (invoice.due or invoice.created).date()
    if wanted.new_due <= max(due, known.now.date()):
        raise Unprocessable("new_due: the new date has to be later than the old one, and later than today.")
    details = {"number": invoice.number, "due": due.isoformat(), "new_due": wanted.new_due.isoformat()}
    before = any((a.kind, a.target, a.state) == ("extend_due_date", invoice.id, "succeeded") for a in known.actions)
    left = invoice.remaining
    made = _of_invoice(known, invoice, kind="extend_due_date", amount=left, most=left, details=details)
    days = (wanted.new_due - due).days
    return replace(made, request=replace(made.request, extension_days=days, extended_before=before))


def _resending(wanted: Wanted, known: Known) -> Proposal:
    invoice = _owned(known.picture.invoices, wanted.target, "invoice")
    details = {"number": invoice.number, "email": known.picture.customer.email}
    whole = invoice.total
    return _of_invoice(known, invoice, kind="resend_invoice", amount=whole, most=whole, details=details)


def _cancellation(wanted: Wanted, known: Known) -> Proposal:
    plan = _owned(known.picture.subscriptions, wanted.target, "subscription")
    if plan.cancel_at_period_end or plan.ended_at is not None:
        raise Conflict("This subscription ends already.")
    request = ActionRequest(
        kind="cancel_subscription",
        ground=wanted.ground,
        customer=known.picture.customer.id,
        target=plan.id,
        amount=plan.price,
        refundable=plan.price,
        disputed=False,
        charged_at=known.now,
        interval=plan.interval,
    )
    details = {"plan": plan.plan, "interval": plan.every, "end": plan.period_end.isoformat()}
    return Proposal(request=request, details=details | {"evidence_ids": [plan.id]})


def _of_invoice(
    known: Known, invoice: Invoice, *, kind: ActionKind, amount: Money, most: Money, details: Json
) -> Proposal:
    charges = [charge for charge in known.picture.charges if charge.id in invoice.charges]
    request = ActionRequest(
        kind=kind,
        ground="customer_request",
        customer=known.picture.customer.id,
        target=invoice.id,
        amount=amount,
        refundable=most,
        disputed=any(charge.is_contested for charge in charges),
        charged_at=invoice.created,
    )
    return Proposal(request=request, details=details | {"evidence_ids": [invoice.id]})


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


MAKERS: dict[ActionKind, Callable[[Wanted, Known], Proposal]] = {
    "refund": _refund,
    "credit_note": _credit_note,
    "extend_due_date": _extension,
    "resend_invoice": _resending,
    "cancel_subscription": _cancellation,
}
