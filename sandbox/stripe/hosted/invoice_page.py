"""An invoice's own page: what it is for, what has become of it, and a button that pays it."""

from collections.abc import Iterator
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe import documents, timeline
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.hosted.layout import (
    PRIVATE,
    Conclude,
    back_to,
    choices,
    day,
    facts,
    form,
    page,
    read_form,
    row,
    said,
    sorry,
)
from sandbox.stripe.money import shown
from sandbox.stripe.resources import frozen, invoicing, paying, payment_intents
from sandbox.stripe.resources.payment_methods import card, cards_to_choose
from sandbox.stripe.world import World

MESSAGES = {
    "paid": ("Thank you. The invoice is paid.", True),
    "declined": ("The card was declined. Nothing was paid.", False),
    "unauthenticated": ("The card could not be authenticated. Nothing was paid.", False),
    "closed": ("This invoice can no longer be paid.", False),
}
HEAVY = ("Total", "Amount due")
STATUSES = {"open": "Open", "paid": "Paid", "void": "Void", "uncollectible": "Uncollectible", "draft": "Draft"}


class InvoicePages:
    def __init__(self, world: World, conclude: Conclude) -> None:
        self.world, self.conclude = world, conclude

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/invoices/{token}", self._show),
            Route("/_sandbox/invoices/{token}/pay", self._pay, methods=["POST"]),
            Route("/_sandbox/invoices/{token}/authenticate", self._authenticate, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        token = request.path_params["token"]
        timeline.run_due(self.world)
        invoice = documents.find_by_token(self.world, token.removesuffix(".pdf"))
        if invoice is None or not (token.endswith(".pdf") or invoice["object"] == "invoice"):
            return sorry("Not found", "There is no invoice at this address.", 404)
        if token.endswith(".pdf"):
            name = f'inline; filename="{documents.name_of(invoice).replace(" ", "-")}.pdf"'
            made = documents.pdf(invoice)
            return Response(made, media_type="application/pdf", headers=PRIVATE | {"Content-Disposition": name})
        message = MESSAGES.get(request.query_params.get("said", ""))
        return page(f"Invoice {invoice['number']}", said(message) + _body(self.world, invoice))

    async def _pay(self, request: Request) -> Response:
        answer = await read_form(request)
        token, chosen = request.path_params["token"], answer.get("card", "")
        timeline.run_due(self.world)
        invoice = documents.find_by_token(self.world, token)
        if invoice is None or invoice["object"] != "invoice" or chosen not in dict(cards_to_choose()):
            return sorry("Not found", "There is no such invoice or no such card.", 404)
        with frozen.time_of(self.world, invoice):
            result = _paid_with(self.world, invoice, chosen)
        self.conclude(request)
        return back_to(f"/_sandbox/invoices/{token}?said={result}")

    async def _authenticate(self, request: Request) -> Response:
        """What the bank's own page would do after asking the cardholder."""
        answer = await read_form(request)
        token = request.path_params["token"]
        invoice = documents.find_by_token(self.world, token)
        intent = _waiting(self.world, invoice) if invoice and invoice["object"] == "invoice" else None
        if invoice is None or intent is None:
            return sorry("Not found", "Nothing waits for an authentication here.", 404)
        with frozen.time_of(self.world, invoice):
            good = payment_intents.authenticate(self.world, intent, passed=answer.get("result") == "pass")
        self.conclude(request)
        return back_to(f"/_sandbox/invoices/{token}?said={'paid' if good else 'unauthenticated'}")


def _paid_with(world: World, invoice: Json, chosen: str) -> str:
    if invoice["status"] not in paying.PAYABLE:
        return "closed"
    try:
        paying.pay(world, invoice, card(world, chosen), off_session=False)
    except StripeFailure as failure:
        return "" if failure.code == "invoice_payment_intent_requires_action" else "declined"
    return "paid"


def _waiting(world: World, invoice: Json) -> Json | None:
    """The PaymentIntent of this invoice that waits for its cardholder."""
    for payment in invoicing.payments_of(world, invoice):
        intent = world.find("payment_intent", payment["payment"].get("payment_intent"))
        if payment["status"] == "open" and intent and intent["status"] == "requires_action":
            return intent
    return None


def _body(world: World, invoice: Json) -> str:
    amount = shown(invoice["amount_remaining"] or invoice["amount_paid"], invoice["currency"])
    return (
        f"<h1>Invoice {escape(invoice['number'])}</h1>"
        f'<p class="soft">from {escape(invoice["account_name"])}</p>'
        f'<p class="amount">{escape(amount)}</p><p><span class="badge">{_standing(invoice)}</span></p>'
        + facts(_facts(invoice))
        + _payment(world, invoice)
        + _lines(invoice)
        + _credit_notes(world, invoice)
        + f'<p><a href="/_sandbox/invoices/{invoice["_token"]}.pdf">Download PDF</a></p>'
    )


def _standing(invoice: Json) -> str:
    words = STATUSES[invoice["status"]]
    paid_at = invoice["status_transitions"]["paid_at"]
    if invoice["status"] == "open" and invoice["due_date"]:
        return f"{words}, due {day(invoice['due_date'])}"
    return f"{words} on {day(paid_at)}" if invoice["status"] == "paid" and paid_at else words


def _facts(invoice: Json) -> Iterator[tuple[str, str]]:
    yield "Bill to", " · ".join(filter(None, (invoice["customer_name"], invoice["customer_email"])))
    yield "Date", day(invoice["status_transitions"]["finalized_at"])
    if invoice["description"]:
        yield "Note", invoice["description"]


def _payment(world: World, invoice: Json) -> str:
    here = f"/_sandbox/invoices/{invoice['_token']}"
    if invoice["status"] not in paying.PAYABLE:
        return ""
    if _waiting(world, invoice):
        options = [("pass", "Yes, it is me"), ("fail", "No, refuse it")]
        return "<h2>Your bank asks: is this you?</h2>" + form(
            f"{here}/authenticate", choices("result", options), "Answer the bank"
        )
    amount = shown(invoice["amount_remaining"], invoice["currency"])
    return "<h2>Pay</h2>" + form(f"{here}/pay", choices("card", cards_to_choose()), f"Pay {amount}")


def _lines(invoice: Json) -> str:
    currency = invoice["currency"]
    rows = "".join(_row(line, currency) for line in invoice["_lines"])
    sums = "".join(
        row(escape(shown(amount, currency)), label=escape(name), look=' class="sum"' * (name in HEAVY), span=2)
        for name, amount in documents.sums(invoice)
    )
    head = '<th scope="col">What</th><th scope="col" class="number">Qty</th><th scope="col" class="number">Amount</th>'
    return (
        f"<h2>Details</h2><table><caption>What this invoice is for</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody><tfoot>{sums}</tfoot></table>"
    )


def _row(line: Json, currency: str) -> str:
    what = f'{escape(line["description"] or "")}<br><span class="soft">{escape(_when(line))}</span>'
    return row(str(line["quantity"] or 1), escape(shown(line["amount"], currency)), label=what)


def _when(line: Json) -> str:
    start, end = line["period"]["start"], line["period"]["end"]
    return day(start) if day(start) == day(end) else f"{day(start)} to {day(end)}"


def _credit_notes(world: World, invoice: Json) -> str:
    notes = [each for each in world.of("credit_note", "invoice", invoice["id"]) if each["status"] != "void"]
    if not notes:
        return ""
    return "<h2>Credit notes</h2>" + facts(
        (f"{each['number']}, {day(each['created'])}", shown(-each["total"], each["currency"])) for each in notes
    )
