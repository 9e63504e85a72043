"""What a credit note credits: lines of its invoice, lines of its own, or a plain amount; each with its share of tax.

Shares are taken of running totals, so crediting a line in parts gives back to the unit what crediting it whole would.
"""

from dataclasses import dataclass

from sandbox.stripe.errors import Json, StripeFailure, missing, no_such
from sandbox.stripe.money import share, step
from sandbox.stripe.resources.lines import tax_on
from sandbox.stripe.world import World, public


@dataclass(frozen=True)
class Part:
    """`part` of `whole`, after `before` of it has been credited."""

    before: int
    part: int
    whole: int
    step: int
    """Of the currency."""

    def of(self, amount: int) -> int:
        if self.whole <= 0:
            return 0
        upto, before = self.before + self.part, self.before
        return share(amount, upto, self.whole, self.step) - share(amount, before, self.whole, self.step)


def issued_notes(world: World, invoice: Json) -> list[Json]:
    """Newest first; void ones credit nothing any more."""
    return [note for note in world.of("credit_note", "invoice", invoice["id"]) if note["status"] == "issued"]


def credited_lines(world: World, invoice: Json, params: Json) -> list[Json]:
    """The note's lines. Raises Stripe's refusal of what the invoice's lines do not hold."""
    notes = issued_notes(world, invoice)
    if not params.get("lines"):
        return [_plain_amount(world, invoice, notes, params.get("amount"))]
    known = [line for note in notes for line in note["_lines"]]
    lines: list[Json] = []
    for place, wanted in enumerate(params["lines"]):
        name = f"lines[{place}]"
        if wanted["type"] == "custom_line_item":
            lines.append(_custom(world, invoice, wanted, name))
        else:
            lines.append(_of_invoice(world, invoice, wanted, name, known + lines))
    return lines


def _plain_amount(world: World, invoice: Json, notes: list[Json], amount: int | None) -> Json:
    """An amount with tax in it: the taxes of the whole invoice are reversed in proportion."""
    if amount is None:
        message = "You must provide one of: amount, lines, or shipping_cost."
        raise StripeFailure(message, code="parameter_missing", param="amount")
    part = Part(sum(note["amount"] for note in notes), amount, invoice["total"], step(invoice["currency"]))
    taxes = _taxes(invoice["total_taxes"], part)
    gross = amount - exclusive(taxes)
    return _line(world, "custom_line_item", gross, f"Credit for invoice {invoice['number']}", taxes=taxes)


def _custom(world: World, invoice: Json, wanted: Json, name: str) -> Json:
    for needed in ("description", "unit_amount"):
        if wanted.get(needed) is None:
            raise missing(f"{name}[{needed}]")
    _refuse(wanted, name, "amount", "invoice_line_item")
    quantity = wanted.get("quantity", 1)
    amount = wanted["unit_amount"] * quantity
    rates = [world.get("tax_rate", rate, param=f"{name}[tax_rates]") for rate in wanted.get("tax_rates") or ()]
    return _line(
        world,
        "custom_line_item",
        amount,
        wanted["description"],
        taxes=[tax_on(rate, amount, invoice["currency"]) for rate in rates],
        quantity=quantity,
        unit_amount=wanted["unit_amount"],
        metadata=wanted.get("metadata"),
    )


def _of_invoice(world: World, invoice: Json, wanted: Json, name: str, known: list[Json]) -> Json:
    identifier = wanted.get("invoice_line_item")
    if not identifier:
        raise missing(f"{name}[invoice_line_item]")
    _refuse(wanted, name, "description", "unit_amount", "tax_rates")
    line = next((each for each in invoice["_lines"] if each["id"] == identifier), None)
    if line is None:
        raise no_such("invoice line item", identifier, param=f"{name}[invoice_line_item]", status=400)
    part = _part(line, wanted, name, [each for each in known if each["invoice_line_item"] == identifier])
    quantity = wanted.get("quantity")
    return _line(
        world,
        "invoice_line_item",
        part.of(line["amount"]),
        line["description"],
        taxes=_taxes(line["taxes"], part),
        discounts=[each | {"amount": part.of(each["amount"])} for each in line["discount_amounts"]],
        quantity=quantity,
        unit_amount=line["amount"] // line["quantity"] if quantity and line["amount"] % line["quantity"] == 0 else None,
        invoice_line_item=identifier,
        metadata=wanted.get("metadata"),
    )


def _part(line: Json, wanted: Json, name: str, before: list[Json]) -> Part:
    """By amount or by quantity, and each line always in the same way (Stripe: types cannot be combined)."""
    given = [kind for kind in ("amount", "quantity") if wanted.get(kind) is not None]
    if len(given) != 1:
        message = f"You must give exactly one of {name}[amount] and {name}[quantity]."
        code = "parameters_exclusive" if given else "parameter_missing"
        raise StripeFailure(message, code=code, param=f"{name}[amount]")
    kind = given[0]
    if any((each["quantity"] is None) != (kind == "amount") for each in before):
        message = "This line has been credited by amount and quantity; a line can be credited in one way only."
        raise StripeFailure(message, param=f"{name}[{kind}]")
    part = Part(sum(each[kind] for each in before), wanted[kind], line[kind], step(line["currency"]))
    if part.before + part.part > part.whole:
        message = f"The {kind} to credit ({part.part}) is more than is left of the line ({part.whole - part.before})."
        raise StripeFailure(message, param=f"{name}[{kind}]")
    return part


def _refuse(wanted: Json, name: str, *names: str) -> None:
    for each in names:
        if wanted.get(each):
            message = f"{name}[{each}] is not valid for lines of type {wanted['type']}."
            raise StripeFailure(message, param=f"{name}[{each}]")


def _taxes(taxes: list[Json], part: Part) -> list[Json]:
    scaled = ("amount", "taxable_amount")
    return [public(tax) | {name: part.of(tax[name]) for name in scaled} for tax in taxes]


def exclusive(taxes: list[Json]) -> int:
    """The tax that comes on top of the amount."""
    return int(sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive"))


def _line(
    world: World,
    kind: str,
    amount: int,
    description: str,
    *,
    taxes: list[Json],
    discounts: list[Json] | None = None,
    quantity: int | None = None,
    unit_amount: int | None = None,
    invoice_line_item: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Json:
    """`amount` is gross: before discounts and without exclusive tax."""
    amounts = discounts or []
    rates = [world.find("tax_rate", tax["tax_rate_details"]["tax_rate"]) for tax in taxes]
    return {
        "id": world.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": sum(each["amount"] for each in amounts),
        "discount_amounts": amounts,
        "invoice_line_item": invoice_line_item,
        "livemode": False,
        "metadata": metadata or {},
        "pretax_credit_amounts": [each | {"type": "discount"} for each in amounts],
        "quantity": quantity,
        "tax_rates": [public(rate) for rate in rates if rate],
        "taxes": taxes,
        "type": kind,
        "unit_amount": unit_amount,
        "unit_amount_decimal": None if unit_amount is None else str(unit_amount),
    }
