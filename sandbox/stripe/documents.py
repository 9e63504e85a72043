"""What an invoice adds up to, and its PDF: small, real, and readable in any script that a font at hand covers."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import reportlab
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from sandbox.stripe.errors import Json
from sandbox.stripe.money import shown
from sandbox.stripe.world import World

LEFT, RIGHT, TOP, BOTTOM, LEADING = 56.0, 540.0, 780.0, 80.0, 14.0
QUANTITY, WIDEST = 430.0, 340.0
MOST_LINES_OF_TEXT = 3
KINDS = {"invoice": "Invoice", "credit_note": "Credit note"}
INK, SOFT, RULE = HexColor("#1a1f36"), HexColor("#4f566b"), HexColor("#d8dee4")
NOTE = "Made by a simulated Stripe. Not a tax document; no money has moved."
SYSTEM = Path("/usr/share/fonts/truetype/dejavu")
BUNDLED = Path(reportlab.__file__).parent / "fonts"
EAST_ASIAN = (
    (range(0x3040, 0x3100), "HeiseiKakuGo-W5"),
    (range(0xAC00, 0xD7A4), "HYGothic-Medium"),
    (range(0x2E80, 0xFFF0), "HeiseiKakuGo-W5"),
)
"""Kana, Hangul, then all else: fonts that every PDF reader brings along, so nothing is embedded."""


def find_by_token(world: World, token: str) -> Json | None:
    """The invoice or credit note whose link this is. The link is the key: no other finds it."""
    return next((each for kind in KINDS for each in world.of(kind, "_token", token)), None)


def name_of(document: Json) -> str:
    return f"{KINDS[document['object']]} {document['number']}"


def note_sums(note: Json) -> Iterator[tuple[str, int]]:
    yield "Subtotal", note["subtotal"]
    yield from _taxes(note)
    yield "Total", note["total"]


def _taxes(document: Json) -> Iterator[tuple[str, int]]:
    for tax in document["total_taxes"]:
        yield "Tax" if tax["tax_behavior"] == "exclusive" else "Tax (included)", tax["amount"]


def sums(invoice: Json) -> Iterator[tuple[str, int]]:
    """From the subtotal to what is still to be paid, in the order in which an invoice shows them."""
    yield "Subtotal", invoice["subtotal"]
    off = sum(each["amount"] for each in invoice["total_discount_amounts"])
    if off:
        yield "Discount", -off
    yield from _taxes(invoice)
    yield "Total", invoice["total"]
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if applied:
        yield "Applied balance", -applied
    credited = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    if credited:
        yield "Credit notes", -credited
    if invoice["amount_paid"]:
        yield "Paid", -invoice["amount_paid"]
    yield "Amount due", invoice["amount_remaining"]


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}".lstrip("0")


def pdf(document: Json) -> bytes:
    """One page, or more where the lines need them. The same document gives the same bytes."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=A4, invariant=1)
    canvas.setTitle(name_of(document))
    sheet = Sheet(canvas)
    is_note = document["object"] == "credit_note"
    (_note_head if is_note else _invoice_head)(sheet, document)
    _table(sheet, document)
    _foot(sheet, document["currency"], note_sums(document) if is_note else sums(document))
    sheet.close()
    return made.getvalue()


class Sheet:
    """A pen that goes down the page, and on to the next one."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas, self.height = canvas, TOP

    def down(self, by: float = LEADING) -> None:
        self.height -= by
        if self.height < BOTTOM:
            self.close_page()
            self.canvas.showPage()
            self.height = TOP

    def write(self, text: str, x: float = LEFT, *, size: float = 10, bold: bool = False, ink: Color = INK) -> None:
        self.canvas.setFillColor(ink)
        for run, font in runs(text, bold=bold):
            self.canvas.setFont(font, size)
            self.canvas.drawString(x, self.height, run)
            x += pdfmetrics.stringWidth(run, font, size)

    def write_right(
        self, text: str, x: float = RIGHT, *, size: float = 10, bold: bool = False, ink: Color = INK
    ) -> None:
        width = sum(pdfmetrics.stringWidth(run, font, size) for run, font in runs(text, bold=bold))
        self.write(text, x - width, size=size, bold=bold, ink=ink)

    def rule(self) -> None:
        self.canvas.setStrokeColor(RULE)
        self.canvas.line(LEFT, self.height, RIGHT, self.height)

    def close_page(self) -> None:
        self.height = BOTTOM - 2 * LEADING
        self.write(NOTE, size=8, ink=SOFT)

    def close(self) -> None:
        self.close_page()
        self.canvas.save()


def _head(sheet: Sheet, kind: str, sender: str, facts: list[tuple[str, str]]) -> None:
    sheet.write(kind, size=22, bold=True)
    sheet.write_right(sender, size=11, bold=True)
    sheet.down(2 * LEADING)
    for label, value in facts:
        sheet.write(label, ink=SOFT)
        for line in _wrapped(value):
            sheet.write(line, LEFT + 100)
            sheet.down()
    sheet.down()


def _note_head(sheet: Sheet, note: Json) -> None:
    facts = [
        ("Number", note["number"]),
        ("For invoice", note["number"].partition("-CN-")[0]),
        ("Date of issue", day(note["effective_at"])),
        ("Status", note["status"]),
        *([("Memo", note["memo"])] if note["memo"] else []),
    ]
    _head(sheet, "Credit note", "Counterfoil demo", facts)


def _invoice_head(sheet: Sheet, invoice: Json) -> None:
    facts = [
        ("Invoice number", invoice["number"]),
        ("Date of issue", day(invoice["status_transitions"]["finalized_at"])),
        ("Status", invoice["status"]),
        *([("Due", day(invoice["due_date"]))] if invoice["due_date"] else []),
    ]
    _head(sheet, "Invoice", invoice["account_name"], facts)
    sheet.write("Bill to", bold=True)
    sheet.down()
    for line in filter(None, (invoice["customer_name"], *_address(invoice), invoice["customer_email"])):
        sheet.write(line)
        sheet.down()
    sheet.down(2 * LEADING)
    sheet.write(f"{shown(invoice['amount_remaining'], invoice['currency'])} due", size=15, bold=True)
    sheet.down(2 * LEADING)


def _address(invoice: Json) -> list[str]:
    address = invoice["customer_address"] or {}
    town = " ".join(filter(None, (address.get("postal_code"), address.get("city"), address.get("state"))))
    return [address.get("line1") or "", address.get("line2") or "", town, address.get("country") or ""]


def _table(sheet: Sheet, document: Json) -> None:
    sheet.write("Description", size=9, ink=SOFT)
    sheet.write_right("Qty", QUANTITY, size=9, ink=SOFT)
    sheet.write_right("Amount", size=9, ink=SOFT)
    sheet.down(6)
    sheet.rule()
    sheet.down()
    for line in document["_lines"]:
        first, *rest = _wrapped(line["description"] or "")
        sheet.write(first)
        sheet.write_right(str(line["quantity"] or 1), QUANTITY)
        sheet.write_right(shown(line["amount"], document["currency"]))
        sheet.down()
        for more in rest:
            sheet.write(more)
            sheet.down()
        if "period" in line:
            start, end = day(line["period"]["start"]), day(line["period"]["end"])
            sheet.write(start if start == end else f"{start} – {end}", size=8, ink=SOFT)
        sheet.down(1.4 * LEADING)


def _wrapped(text: str) -> list[str]:
    """At most a few lines; the page shows the whole text."""
    found = simpleSplit(text, _font(bold=False), 10, WIDEST) or [""]
    kept = found[:MOST_LINES_OF_TEXT]
    return kept if len(found) <= MOST_LINES_OF_TEXT else [*kept[:-1], kept[-1][:-1] + "…"]


def _foot(sheet: Sheet, currency: str, rows: Iterator[tuple[str, int]]) -> None:
    sheet.rule()
    sheet.down(1.2 * LEADING)
    for label, amount in rows:
        heavy = label in {"Total", "Amount due"}
        sheet.write(label, 330, bold=heavy)
        sheet.write_right(shown(amount, currency), bold=heavy)
        sheet.down(1.2 * LEADING)


def runs(text: str, *, bold: bool) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with a font that has its characters; what none has becomes a question mark."""
    fonts = ((each, _font_for(each, bold=bold)) for each in text)
    covered = ((each, font) if font else ("?", _font(bold=bold)) for each, font in fonts)
    for font, pieces in groupby(covered, key=itemgetter(1)):
        yield "".join(each for each, _font in pieces), font


@cache
def _font_for(character: str, *, bold: bool) -> str | None:
    face = pdfmetrics.getFont(_font(bold=bold)).face
    if ord(character) in face.charToGlyph:
        return _font(bold=bold)
    return next((_east_asian(name) for covered, name in EAST_ASIAN if ord(character) in covered), None)


@cache
def _font(*, bold: bool) -> str:
    """DejaVu where the system has it, for its many scripts; else the font that comes with reportlab."""
    system, bundled = ("DejaVuSans-Bold", "VeraBd") if bold else ("DejaVuSans", "Vera")
    known = SYSTEM / f"{system}.ttf"
    name, path = (system, known) if known.exists() else (bundled, BUNDLED / f"{bundled}.ttf")
    pdfmetrics.registerFont(TTFont(name, str(path)))
    return name


@cache
def _east_asian(name: str) -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name
