"""An open invoice in instalments, or later."""

from datetime import date, timedelta

from nodes.drafting import draft
from nodes.outcomes import waiting_draft
from nodes.resolving.matter import Matter, Proposal, Resolution, request_on
from nodes.wording.parts import card_details, schedule
from tools.billing.analysis import instalments
from tools.billing.types import Invoice
from tools.ledger.transitions import LIVE
from tools.ledger.types import Action
from tools.policy.types import ActionKind

USUAL_PARTS = 3
SPLITTABLE = range(2, 25)
"""Numbers of parts worth a schedule; how many are allowed is for policy to say."""


MOST_TIME = timedelta(days=14)
"""As the policy on payment plans has it; whether it is allowed is for the rules to say."""


def payment_plan(matter: Matter) -> Resolution:
    """Proposes a schedule whose parts add up to what is left to pay, to the cent."""
    invoice = _payable(matter)
    if invoice is None:
        return Resolution(draft=draft("no_open_invoice"))
    if stands := _stands(matter, invoice):
        return stands
    return Resolution(proposal=_plan(matter, invoice, int(matter.details.get("instalments") or USUAL_PARTS)))


def extend_due_date(matter: Matter) -> Resolution:
    """More time for one open invoice, until the day that was named or for as long as policy has it."""
    invoice = _payable(matter)
    if invoice is None:
        return Resolution(draft=draft("nothing_due"))
    if stands := _stands(matter, invoice):
        return stands
    due, today = due_of(invoice), matter.now.date()
    new_due = _new_due(matter, due)
    if new_due <= today:
        return Resolution(draft=draft("too_late_to_extend", number=_number(invoice), due=due), asked="handover")
    if new_due <= due:
        return Resolution(draft=draft("due_later_anyway", number=_number(invoice), due=due))
    earlier = _done(matter, "extend_due_date", invoice)
    proposal = extension(matter, invoice, new_due)
    if earlier is None:
        return Resolution(proposal=proposal)
    until = date.fromisoformat(earlier.details["new_due"])
    return Resolution(draft=draft("extended_already", number=_number(invoice), new_due=until), proposal=proposal)


def _payable(matter: Matter) -> Invoice | None:
    """The open invoice that was named, else the one that is due first."""
    wanted = matter.details.get("invoice_number")
    payable = [i for i in matter.picture.invoices if i.status == "open" and i.remaining]
    named = next((i for i in payable if wanted and i.number == wanted), None)
    return named or min(payable, key=due_of, default=None)


def due_of(invoice: Invoice) -> date:
    """What is charged by itself is due at once."""
    return (invoice.due or invoice.created).date()


def _new_due(matter: Matter, due: date) -> date:
    """Days count from the due date, unless that is too long ago for them to mean anything."""
    details = matter.details
    if details.get("until"):
        return date.fromisoformat(str(details["until"]))
    if details.get("days"):
        wished = timedelta(days=int(details["days"]))
        return due + wished if due + wished > matter.now.date() else matter.now.date() + wished
    return due + MOST_TIME


def _done(matter: Matter, kind: ActionKind, invoice: Invoice) -> Action | None:
    found = (a for a in matter.actions if a.kind == kind and a.state == "succeeded")
    return next((action for action in found if action.target == invoice.id), None)


def _stands(matter: Matter, invoice: Invoice) -> Resolution | None:
    """A plan for it, or what was agreed to about its time and waits: two at once would say different days."""
    mine = [a for a in matter.actions if a.target == invoice.id and a.kind in {"payment_plan", "extend_due_date"}]
    if waiting := next((action for action in mine if action.state in LIVE), None):
        said = waiting_draft(waiting)
        return Resolution(draft=said if waiting.kind == matter.goal else said.then(draft("withdraw_first")))
    existing = _done(matter, "payment_plan", invoice)
    return _planned(invoice, existing) if existing else None


def _planned(invoice: Invoice, existing: Action) -> Resolution:
    said = draft("plan_exists", number=_number(invoice), schedule=schedule(existing))
    return Resolution(draft=said, asked="handover")


def _running(matter: Matter) -> int:
    """Plans whose invoices are not paid yet."""
    owed = {i.id for i in matter.picture.invoices if i.status == "open" and i.remaining}
    return sum(a.kind == "payment_plan" and a.state == "succeeded" and a.target in owed for a in matter.actions)


def extension(matter: Matter, invoice: Invoice, new_due: date) -> Proposal:
    due = due_of(invoice)
    request = request_on(
        matter,
        "extend_due_date",
        invoice,
        invoice.remaining,
        extension_days=(new_due - due).days,
        extended_before=_done(matter, "extend_due_date", invoice) is not None,
    )
    details = {
        "number": _number(invoice),
        "due": due.isoformat(),
        "new_due": new_due.isoformat(),
        "evidence_ids": [invoice.id],
    }
    return Proposal(request=request, details=details)


def _plan(matter: Matter, invoice: Invoice, parts: int) -> Proposal:
    request = request_on(
        matter, "payment_plan", invoice, invoice.remaining, instalments=parts, plans_running=_running(matter)
    )
    dates = instalments(invoice.remaining, parts, matter.now.date()) if parts in SPLITTABLE else ()
    details = {
        "number": _number(invoice),
        "schedule": [{"due": due.isoformat(), "amount": amount.amount} for due, amount in dates],
        **card_details(matter.picture.customer.payment_method, matter.cards),
        "evidence_ids": [invoice.id],
    }
    return Proposal(request=request, details=details)


def _number(invoice: Invoice) -> str:
    return invoice.number or "(draft)"
