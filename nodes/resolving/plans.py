"""An open invoice in instalments."""

from nodes.drafting import draft
from nodes.resolving.matter import Matter, Proposal, Resolution
from tools.billing.analysis import instalments
from tools.billing.types import Invoice
from tools.policy.types import ActionRequest

USUAL_PARTS = 3


def payment_plan(matter: Matter) -> Resolution:
    """Proposes a schedule whose parts add up to what is left to pay, to the cent."""
    wanted = matter.details.get("invoice_number")
    payable = [i for i in matter.picture.invoices if i.status == "open" and i.remaining]
    invoice = next((i for i in payable if wanted and i.number == wanted), None) or next(iter(payable), None)
    if invoice is None:
        return Resolution(draft=draft("no_open_invoice"))
    return Resolution(proposal=_plan(matter, invoice, int(matter.details.get("instalments") or USUAL_PARTS)))


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
    schedule = instalments(invoice.remaining, parts, matter.now.date()) if parts > 0 else ()
    details = {
        "number": invoice.number,
        "schedule": [{"due": due.isoformat(), "amount": amount.amount} for due, amount in schedule],
        "evidence_ids": [invoice.id],
    }
    return Proposal(request=request, details=details)
