"""Issuing a credit note: weighed whole before anything changes, so a refusal leaves everything as it was."""

import secrets
from dataclasses import dataclass, field

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure, missing
from sandbox.stripe.params import merged_metadata
from sandbox.stripe.resources import invoicing, refunds
from sandbox.stripe.resources.credit_note_lines import credited_lines, exclusive, issued_notes
from sandbox.stripe.resources.customers import adjust_balance, live_customer
from sandbox.stripe.resources.lines import total_taxes
from sandbox.stripe.world import World, public

Portions = list[tuple[Json, int]]
CREDITABLE = ("open", "paid")


@dataclass(frozen=True)
class Plan:
    """A credit note that may be issued, and where its money goes."""

    note: Json
    refunds: Portions = field(default_factory=list)
    """Charges to refund, with the amount of each."""
    links: Portions = field(default_factory=list)
    """Refunds made already that it accounts for, with the amount of each."""
    credit: int = 0


def plan(world: World, invoice: Json, params: Json) -> Plan:
    """Everything that Stripe checks, and the note as it would be. Raises its refusal."""
    if invoice["status"] not in CREDITABLE:
        message = f"Credit notes can only be issued for open or paid invoices; this one is {invoice['status']}."
        raise StripeFailure(message, param="invoice")
    lines = credited_lines(world, invoice, params)
    links = _links(world, invoice, params.get("refunds") or [])
    amount = _amount(world, invoice, params, lines, sum(linked for _, linked in links))
    before_payment = min(amount, invoice["amount_remaining"])
    credit, outside, wanted = (params.get(name, 0) for name in ("credit_amount", "out_of_band_amount", "refund_amount"))
    given = credit + outside + wanted + sum(linked for _, linked in links)
    if before_payment != invoice["amount_remaining"]:
        # The rest must be an amount that a card can be charged.
        money.check_granularity(before_payment, invoice["currency"])
    _check_sum(invoice["currency"], given, amount - before_payment)
    if credit:
        _check_credit(world, invoice)
    note = _note(world, invoice, params, lines)
    note |= {
        "out_of_band_amount": outside or None,
        "post_payment_amount": amount - before_payment,
        "pre_payment_amount": before_payment,
        "type": _type(before_payment, amount),
    }
    return Plan(note=note, refunds=_portions(world, invoice, wanted), links=links, credit=credit)


def _type(before_payment: int, amount: int) -> str:
    if before_payment == amount:
        return "pre_payment"
    return "mixed" if before_payment else "post_payment"


def _amount(world: World, invoice: Json, params: Json, lines: list[Json], linked: int) -> int:
    """The total with tax, within what the invoice still has to give."""
    param = "lines" if params.get("lines") else "amount"
    total = sum(int(line["amount"]) - int(line["discount_amount"]) + exclusive(line["taxes"]) for line in lines)
    if total <= 0:
        raise StripeFailure("Invalid positive integer", code="parameter_invalid_integer", param=param)
    if params.get("amount") not in {None, total}:
        message = f"The amount ({params['amount']}) is not the total of the lines ({total})."
        raise StripeFailure(message, param="amount")
    left = creditable(world, invoice, linked)
    if total > left:
        shown, limit = (money.shown(each, invoice["currency"]) for each in (total, max(0, left)))
        message = f"The credit note amount ({shown}) is greater than the amount that can still be credited ({limit})."
        raise StripeFailure(message, param=param)
    return total


def creditable(world: World, invoice: Json, linked: int = 0) -> int:
    """What notes and direct refunds have left of the total; `linked` refunds are about to become part of a note."""
    notes = sum(int(note["amount"]) for note in issued_notes(world, invoice))
    direct = sum(_unlinked(world, invoice, made) for made in refunds_of(world, invoice))
    # Giving back what was paid too much takes nothing from the invoice's own amount.
    direct = max(0, direct - linked - int(invoice["amount_overpaid"]))
    return int(invoice["total"]) - notes - direct


def charges_of(world: World, invoice: Json) -> list[tuple[Json, Json]]:
    """The invoice's paid payments with their charges, newest payment first."""
    paid = [each for each in invoicing.payments_of(world, invoice) if each["status"] == "paid"]
    paid.sort(key=lambda each: int(each["status_transitions"]["paid_at"]), reverse=True)
    intents = ((each, world.find("payment_intent", each["payment"].get("payment_intent"))) for each in paid)
    return [(each, world.get("charge", intent["latest_charge"])) for each, intent in intents if intent]


def refunds_of(world: World, invoice: Json) -> list[Json]:
    charges = (charge["id"] for _, charge in charges_of(world, invoice))
    return [made for charge in charges for made in world.of("refund", "charge", charge)]


def _unlinked(world: World, invoice: Json, made: Json) -> int:
    """How much of a refund no credit note accounts for yet."""
    if made["status"] in refunds.OVER:
        return 0
    entries = (entry for note in issued_notes(world, invoice) for entry in note["refunds"])
    linked = [int(entry["amount_refunded"]) for entry in entries if entry["refund"] == made["id"]]
    return int(made["amount"]) - sum(linked)


def _links(world: World, invoice: Json, wanted: list[Json]) -> Portions:
    known = {made["id"] for made in refunds_of(world, invoice)}
    links: Portions = []
    for place, each in enumerate(wanted):
        name = f"refunds[{place}]"
        if not each.get("refund"):
            raise missing(f"{name}[refund]")
        made = world.get("refund", each["refund"], param=f"{name}[refund]")
        if made["id"] not in known or made["status"] in refunds.OVER:
            message = f"Refund {made['id']} gave nothing back of this invoice's payments."
            raise StripeFailure(message, param=f"{name}[refund]")
        taken = sum(amount for earlier, amount in links if earlier["id"] == made["id"])
        free = _unlinked(world, invoice, made) - taken
        amount = each.get("amount_refunded", free)
        if not 0 < amount <= free:
            message = f"Only {money.shown(free, made['currency'])} of refund {made['id']} can be linked."
            raise StripeFailure(message, param=f"{name}[amount_refunded]")
        links.append((made, amount))
    return links


def _check_sum(currency: str, given: int, needed: int) -> None:
    if given != needed:
        message = (
            f"The sum of credit amount, refund amount and out of band amount ({money.shown(given, currency)}) must "
            f"equal the credit note amount ({money.shown(needed, currency)})."
        )
        raise StripeFailure(message)


def _check_credit(world: World, invoice: Json) -> None:
    customer = live_customer(world, invoice["customer"])
    if customer["currency"] not in {None, invoice["currency"]}:
        message = (
            f"The customer's balance is in {customer['currency']}; it cannot be credited in {invoice['currency']}."
        )
        raise StripeFailure(message, param="credit_amount")


def _portions(world: World, invoice: Json, wanted: int) -> Portions:
    """Newest payment first, and of each no more than it paid and still holds."""
    portions: Portions = []
    rest = wanted
    for payment, charge in charges_of(world, invoice):
        held = charge["amount_captured"] - charge["amount_refunded"]
        if part := min(rest, payment["amount_paid"], held):
            portions.append((charge, refunds.allowed(world, charge, part, "refund_amount")))
            rest -= part
    if rest:
        shown, most = (money.shown(each, invoice["currency"]) for each in (wanted, wanted - rest))
        message = f"The refund amount ({shown}) is greater than what the invoice's payments still hold ({most})."
        raise StripeFailure(message, param="refund_amount")
    return portions


def _note(world: World, invoice: Json, params: Json, lines: list[Json]) -> Json:
    taxes = total_taxes(lines)
    subtotal = sum(line["amount"] for line in lines)
    discount = sum(line["discount_amount"] for line in lines)
    total = subtotal - discount + exclusive(taxes)
    amounts = _by_discount(lines)
    number = len(world.of("credit_note", "invoice", invoice["id"])) + 1
    return {
        "amount": total,
        "amount_shipping": 0,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_balance_transaction": None,
        "discount_amount": discount,
        "discount_amounts": amounts,
        "effective_at": params.get("effective_at") or world.now(),
        "invoice": invoice["id"],
        "memo": params.get("memo"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "number": f"{invoice['number']}-CN-{number:02d}",
        "pdf": None,
        "pretax_credit_amounts": [each | {"type": "discount"} for each in amounts],
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal + exclusive(taxes) - sum(tax["amount"] for tax in taxes),
        "total": total,
        "total_excluding_tax": total - sum(tax["amount"] for tax in taxes),
        "total_taxes": taxes,
        "voided_at": None,
        "_lines": lines,
        "_token": secrets.token_urlsafe(24),
    }


def _by_discount(lines: list[Json]) -> list[Json]:
    sums: dict[str, int] = {}
    for each in (each for line in lines for each in line["discount_amounts"]):
        sums[each["discount"]] = sums.get(each["discount"], 0) + each["amount"]
    return [{"amount": amount, "discount": discount} for discount, amount in sums.items()]


def issue(world: World, invoice: Json, planned: Plan) -> Json:
    """The refunds, the credit, the smaller invoice, and the note."""
    note = world.add("credit_note", "cn", **planned.note)
    reason = note["reason"] if note["reason"] in refunds.REASONS else None
    made = [(refunds.refund(world, charge, amount, reason=reason), amount) for charge, amount in planned.refunds]
    note["refunds"] = [
        {"amount_refunded": amount, "payment_record_refund": None, "refund": each["id"], "type": "refund"}
        for each, amount in made + planned.links
    ]
    if planned.credit:
        customer = world.get("customer", invoice["customer"])
        entry = adjust_balance(
            world,
            customer,
            -planned.credit,
            note["currency"],
            kind="credit_note",
            credit_note=note["id"],
            invoice=invoice["id"],
        )
        note["customer_balance_transaction"] = entry["id"]
    _lower(world, invoice, note["pre_payment_amount"], note["post_payment_amount"])
    world.emit("credit_note.created", note)
    return note


def void(world: World, note: Json) -> Json:
    """Only while the invoice is open; then the note has moved no money yet, so the amount is simply due again."""
    invoice = world.get("invoice", note["invoice"])
    if note["status"] == "void":
        raise StripeFailure("This credit note is already void.")
    if invoice["status"] != "open":
        raise StripeFailure("You can only void a credit note if the associated invoice is open.")
    before = public(note)
    note |= {"status": "void", "voided_at": world.now()}
    _lower(world, invoice, -note["pre_payment_amount"], -note["post_payment_amount"])
    world.emit("credit_note.voided", note, before)
    return note


def _lower(world: World, invoice: Json, before_payment: int, after_payment: int) -> None:
    """The invoice asks for less; with nothing left to ask for it is paid."""
    before = public(invoice)
    invoice["pre_payment_credit_notes_amount"] += before_payment
    invoice["post_payment_credit_notes_amount"] += after_payment
    invoice["amount_due"] -= before_payment
    invoice["amount_remaining"] -= before_payment
    invoicing.ask_for_rest(world, invoice)
    world.emit("invoice.updated", invoice, before)
    if invoice["status"] == "open" and invoice["amount_remaining"] == 0:
        invoicing.mark_paid(world, invoice)
