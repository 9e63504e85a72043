"""An open invoice in instalments."""

from nodes.drafting import draft
from nodes.proposals import schedule
from nodes.resolving.matter import Matter, Proposal, Resolution
from tools.billing.analysis import instalments
from tools.billing.types import Invoice
from tools.ledger.types import Action
from tools.policy.types import ActionRequest

USUAL_PARTS = 3
SPLITTABLE = range(2, 25)
"""Numbers of parts worth a schedule; how many are allowed is for policy to say."""


def payment_plan(matter: Matter) -> Resolution:
    """Proposes a schedule whose parts add up to what is left to pay, to the cent."""
    wanted = matter.details.get("invoice_number")
    payable = [i for i in matter.picture.invoices if i.status == "open" and i.remaining]
    invoice = next((i for i in payable if wanted and i.number == wanted), None) or next(iter(payable), None)
    if invoice is None:
        return Resolution(draft=draft("no_open_invoice"))
    if existing := _existing(matter, invoice):
        said = draft("plan_exists", number=invoice.number or "(draft)", schedule=schedule(existing))
        return Resolution(draft=said, asked="handover")
    return Resolution(proposal=_plan(matter, invoice, int(matter.details.get("instalments") or USUAL_PARTS)))


def _existing(matter: Matter, invoice: Invoice) -> Action | None:
    plans = (a for a in matter.actions if a.kind == "payment_plan" and a.state == "succeeded")
    return next((plan for plan in plans if plan.target == invoice.id), None)


def _plan(matter: Matter, invoice: Invoice, parts: int) -> Proposal:
    request = ActionRequest(
        kind="payment_plan",
        ground="customer_request",
        customer=matter.picture.customer.id,
        target=invoice.id,
        amount=invoice.remaining,
        refundable=invoice.remaining,
        disputed=False,
        charged_at=invoice.created,
        instalments=parts,
    )
    dates = instalments(invoice.remaining, parts, matter.now.date()) if parts in SPLITTABLE else ()
    details = {
        "number": invoice.number,
        "schedule": [{"due": due.isoformat(), "amount": amount.amount} for due, amount in dates],
        "evidence_ids": [invoice.id],
    }
    return Proposal(request=request, details=details)
