"""Credit notes, as routes: what an invoice is lowered by, and how paid money comes back."""

from sandbox.stripe import pages
from sandbox.stripe.errors import Json
from sandbox.stripe.params import choice, fields, group, integer, many, metadata, text
from sandbox.stripe.resource import PAGE_FIELDS, Call, Filter, Resource, Route, updater
from sandbox.stripe.resources import crediting
from sandbox.stripe.world import World, public

FIRST_LINES = 10
REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")
LINE = group(
    amount=integer(least=1),
    description=text(),
    invoice_line_item=text(),
    metadata=metadata(),
    quantity=integer(least=1),
    tax_rates=many(text()),
    type=choice("custom_line_item", "invoice_line_item", required=True),
    unit_amount=integer(least=1),
)
LINKED = group(amount_refunded=integer(least=1), refund=text(), type=choice("refund"))
WANTED = fields(
    amount=integer(),
    credit_amount=integer(least=0),
    effective_at=integer(),
    email_type=choice("credit_note", "none"),
    invoice=text(required=True),
    lines=many(LINE),
    memo=text(),
    metadata=metadata(),
    out_of_band_amount=integer(least=0),
    reason=choice(*REASONS),
    refund_amount=integer(least=0),
    refunds=many(LINKED),
)


def show(world: World, note: Json) -> Json:
    url = f"/v1/credit_notes/{note['id']}/lines"
    lines = pages.envelope(note["_lines"][:FIRST_LINES], url, has_more=len(note["_lines"]) > FIRST_LINES)
    return public(note | {"lines": lines, "pdf": f"{world.base_url}/_sandbox/invoices/{note['_token']}.pdf"})


def _planned(call: Call) -> crediting.Plan:
    invoice = call.world.get("invoice", call.params["invoice"], param="invoice")
    return crediting.plan(call.world, invoice, call.params)


def _create(call: Call) -> Json:
    planned = _planned(call)
    return crediting.issue(call.world, call.world.get("invoice", call.params["invoice"]), planned)


def _preview(call: Call) -> Json:
    """The note as it would be, with the refunds that it would link to; nothing is kept, not even the ids."""
    counter = call.world.counter
    try:
        planned = _planned(call)
        kept = {"id": call.world.new_id("cn"), "object": "credit_note", "created": call.world.now(), "livemode": False}
    finally:
        call.world.counter = counter
    linked = [
        {"amount_refunded": amount, "payment_record_refund": None, "refund": made["id"], "type": "refund"}
        for made, amount in planned.links
    ]
    return kept | planned.note | {"refunds": linked}


def _page(call: Call, lines: list[Json]) -> Json:
    return pages.page(lines, call.params, lambda _line: True, call.path, "credit_note_line_item")


def _preview_lines(call: Call) -> Json:
    return _page(call, _preview(call)["_lines"])


def _lines(call: Call) -> Json:
    return _page(call, call.world.get("credit_note", call.id)["_lines"])


def _void(call: Call) -> Json:
    return crediting.void(call.world, call.world.get("credit_note", call.id))


CREDIT_NOTE_LINES = Resource(kind="credit_note_line_item", references={"discount_amounts.discount": "discount"})
CREDIT_NOTES = Resource(
    kind="credit_note",
    path="/v1/credit_notes",
    label="credit note",
    references={
        "customer": "customer",
        "customer_balance_transaction": "customer_balance_transaction",
        "discount_amounts.discount": "discount",
        "invoice": "invoice",
        "refunds.refund": "refund",
    },
    filters={
        "customer": Filter(text(), kind="customer"),
        "invoice": Filter(text(), kind="invoice"),
    },
    show=show,
    routes=(
        Route("POST", "/v1/credit_notes", _create, WANTED),
        Route("GET", "/v1/credit_notes/preview", _preview, WANTED),
        Route("GET", "/v1/credit_notes/preview/lines", _preview_lines, WANTED | PAGE_FIELDS),
        updater(
            "credit_note", "/v1/credit_notes", fields(memo=text(), metadata=metadata()), event="credit_note.updated"
        ),
        Route("POST", "/v1/credit_notes/{id}/void", _void),
        Route("GET", "/v1/credit_notes/{id}/lines", _lines, PAGE_FIELDS),
    ),
)
