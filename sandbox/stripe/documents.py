"""What the links of invoices and credit notes lead to: a small real PDF, and for an invoice a plain page."""

import html
import io
from datetime import UTC, datetime

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.stripe.errors import Json
from sandbox.stripe.money import shown
from sandbox.stripe.world import World

LEFT, RIGHT, TOP, BOTTOM, LEADING = 56, 540, 780, 70, 16
LONGEST_DESCRIPTION = 84
NOTE = "Made by a simulated Stripe. Not a tax document; no money has moved."
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


KINDS = {"invoice": "Invoice", "credit_note": "Credit note"}


def find_by_token(world: World, token: str) -> Json | None:
    """The invoice or credit note whose link this is."""
    known = (each for kind in KINDS for each in world.objects.get(kind, {}).values())
    return next((each for each in known if each["_token"] == token), None)


def _note_summary(note: Json) -> list[tuple[str, str]]:
    currency = note["currency"]
    return [
        ("Credit note", note["number"]),
        ("For invoice", note["number"].partition("-CN-")[0]),
        ("Status", note["status"]),
        ("Date", _day(note["effective_at"])),
        ("Subtotal", shown(note["subtotal"], currency)),
        *(("Tax", shown(tax["amount"], currency)) for tax in note["total_taxes"]),
        ("Total", shown(note["total"], currency)),
        *((("Memo", note["memo"][:LONGEST_DESCRIPTION]),) if note["memo"] else ()),
    ]


def summary(invoice: Json) -> list[tuple[str, str]]:
    """The labelled values that the PDF and the page share."""
    if invoice["object"] == "credit_note":
        return _note_summary(invoice)
    currency = invoice["currency"]
    rows = [
        ("Invoice", invoice["number"]),
        ("Status", invoice["status"]),
        ("Date", _day(invoice["status_transitions"]["finalized_at"])),
        ("Bill to", f"{invoice['customer_name'] or ''} {invoice['customer_email'] or ''}".strip()),
        ("Subtotal", shown(invoice["subtotal"], currency)),
        *(("Tax", shown(tax["amount"], currency)) for tax in invoice["total_taxes"]),
        ("Total", shown(invoice["total"], currency)),
        ("Paid", shown(invoice["amount_paid"], currency)),
        ("Amount due", shown(invoice["amount_remaining"], currency)),
    ]
    return rows + ([("Due", _day(invoice["due_date"]))] if invoice["due_date"] else [])


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}"


def pdf(invoice: Json) -> bytes:
    """One page, or more where the lines need them. The same document gives the same bytes."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=A4, invariant=1)
    title = f"{KINDS[invoice['object']]} {invoice['number']}"
    canvas.setTitle(title)
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(LEFT, TOP, title)
    height = TOP - 2 * LEADING
    for label, value in summary(invoice):
        canvas.setFont("Helvetica", 10)
        canvas.drawString(LEFT, height, label)
        canvas.drawString(LEFT + 90, height, value)
        height -= LEADING
    height -= LEADING
    for line in invoice["_lines"]:
        if height < BOTTOM:
            canvas.showPage()
            canvas.setFont("Helvetica", 10)
            height = TOP
        canvas.drawString(LEFT, height, (line["description"] or "")[:LONGEST_DESCRIPTION])
        canvas.drawRightString(RIGHT, height, shown(line["amount"], invoice["currency"]))
        height -= LEADING
    canvas.setFont("Helvetica-Oblique", 8)
    canvas.drawString(LEFT, BOTTOM - 2 * LEADING, NOTE)
    canvas.save()
    return made.getvalue()


def page(invoice: Json) -> str:
    """Descriptions and names are somebody else's text, so everything is escaped."""
    rows = "".join(f"<dt>{html.escape(label)}</dt><dd>{html.escape(value)}</dd>" for label, value in summary(invoice))
    lines = "".join(
        f"<tr><td>{html.escape(line['description'] or '')}</td>"
        f"<td>{html.escape(shown(line['amount'], invoice['currency']))}</td></tr>"
        for line in invoice["_lines"]
    )
    number = html.escape(invoice["number"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Invoice {number}</title></head>'
        f"<body><main><h1>Invoice {number}</h1><dl>{rows}</dl>"
        f"<table><caption>Lines</caption><tbody>{lines}</tbody></table>"
        f'<p><a href="{invoice["_token"]}.pdf">Download PDF</a></p><p><small>{NOTE}</small></p></main></body></html>'
    )


def serve_document(world: World, request: Request) -> Response:
    """The link is the key: a token that is not known is simply not found."""
    token = request.path_params["token"]
    invoice = find_by_token(world, token.removesuffix(".pdf"))
    if invoice is None or (invoice["object"] == "credit_note" and not token.endswith(".pdf")):
        return Response("Not found", 404, media_type="text/plain")
    if not token.endswith(".pdf"):
        return HTMLResponse(page(invoice), headers=PRIVATE)
    kind = KINDS[invoice["object"]].replace(" ", "-")
    name = f'inline; filename="{kind}-{invoice["number"]}.pdf"'
    return Response(pdf(invoice), media_type="application/pdf", headers=PRIVATE | {"Content-Disposition": name})
