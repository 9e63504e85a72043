"""Refunds under way, subscriptions and credit: what stands on the account now."""

from nodes.drafting import Draft, draft, lines
from nodes.outcomes import waiting_draft
from nodes.resolving.matter import Matter, Resolution
from nodes.resolving.subscribed import active, plan_list, without_plan
from nodes.wording.refunds import REFUND_TAKES
from tools.billing.types import CreditNote, Refund
from tools.money import Money

REFUND_WORDS = {
    "pending": "on its way",
    "requires_action": "waiting for you",
    "succeeded": "made",
    "failed": "failed",
    "canceled": "cancelled",
}


def refund_status(matter: Matter) -> Resolution:
    """What waits for a person, what was made, and what failed on its way."""
    waiting = [a for a in matter.actions if a.kind == "refund" and a.state == "awaiting_approval"]
    said = [waiting_draft(a) for a in waiting]
    refunds = matter.picture.refunds[: matter.shown]
    if not refunds:
        return Resolution(draft=lines(said) if said else draft("refunds_none"))
    listed = lines([*said, draft("refunds_intro"), *(_refund_line(refund, matter) for refund in refunds)])
    if any(refund.status == "failed" for refund in refunds):
        return Resolution(draft=listed + draft("refund_failed_note"), asked="handover")
    told = listed + draft("refund_when", when=REFUND_TAKES)
    return Resolution(draft=told.then(draft("refund_reversal_note")) if refunds[0].kind == "reversal" else told)


def _refund_line(refund: Refund, matter: Matter) -> Draft:
    """With the reference by which the customer's bank finds it, unless there is nothing for the bank to find."""
    arrives = refund.reference and refund.status in {"pending", "succeeded"}
    charge = next((each for each in matter.picture.charges if each.id == refund.charge), None)
    return draft(
        "refund_line",
        amount=refund.amount,
        date=refund.created,
        charge=draft("of_charge", charged=charge.amount, date=charge.created) if charge else Draft(),
        status=REFUND_WORDS[refund.status],
        reference=draft("refund_reference", reference=str(refund.reference)) if arrives else Draft(),
    )


def subscription_status(matter: Matter) -> Resolution:
    running = active(matter)
    if not running:
        return Resolution(draft=without_plan(matter))
    return Resolution(draft=plan_list(running))


def upcoming_invoice(matter: Matter) -> Resolution:
    """What renews when and for how much, and the credit that the next invoice uses."""
    said = subscription_status(matter).draft
    credit = _credit(matter)
    return Resolution(draft=said + credit if credit else said)


def credit_balance(matter: Matter) -> Resolution:
    """The credit balance, what is owed on it, and the credit notes, which customers take for it."""
    noted = [note for note in matter.picture.credit_notes if note.status == "issued"][: matter.shown]
    said = _credit(matter) or draft("no_credit")
    return Resolution(draft=lines([said, *(_credit_note(note, matter) for note in noted)]))


def _credit(matter: Matter) -> Draft | None:
    balance = matter.picture.customer.balance
    if not balance:
        return None
    return draft("credit" if balance.amount < 0 else "owed", amount=Money(abs(balance.amount), balance.currency))


def _credit_note(note: CreditNote, matter: Matter) -> Draft:
    """It lowers one invoice, and says by itself whether the money went back."""
    invoice = next((each for each in matter.picture.invoices if each.id == note.invoice), None)
    number = invoice.number if invoice and invoice.number else "(not shown)"
    return draft(
        "credit_note_refunded" if note.refunds else "credit_note",
        note=note.number,
        date=note.created,
        amount=note.amount,
        invoice=number,
    )
