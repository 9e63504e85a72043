"""Lines of a draft invoice added, changed and removed together: all of them, or none."""

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure, no_such
from sandbox.stripe.params import choice, fields, group, integer, many, merged_metadata, metadata, text
from sandbox.stripe.resource import Call, Route, assign
from sandbox.stripe.resources import invoice_items
from sandbox.stripe.resources.invoicing import total_up
from sandbox.stripe.resources.lines import Item
from sandbox.stripe.world import World, public

NO_PERIOD = ("period", None)


def _draft(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    if invoice["status"] != "draft":
        raise StripeFailure("This invoice is no longer editable", code="invoice_not_editable")
    return invoice


def _finish(call: Call, invoice: Json, before: Json) -> Json:
    total_up(call.world, invoice)
    call.world.emit("invoice.updated", invoice, before)
    return invoice


def _label(call: Call, invoice: Json) -> None:
    if "invoice_metadata" in call.params:
        invoice["metadata"] = merged_metadata(invoice["metadata"], call.params["invoice_metadata"])


def _add(call: Call) -> Json:
    world, invoice = call.world, _draft(call)
    ready = [_ready(world, invoice, each, f"lines[{place}]") for place, each in enumerate(call.params["lines"])]
    before = public(invoice)
    _label(call, invoice)
    customer = world.get("customer", invoice["customer"])
    for each in ready:
        if isinstance(each, Item):
            invoice_items.create_item(world, customer, invoice["currency"], each, invoice)
        elif each["invoice"] is None:
            invoice_items.put(world, invoice, each)
    return _finish(call, invoice, before)


def _ready(world: World, invoice: Json, wanted: Json, name: str) -> Item | Json:
    """A new item, or a pending one of the same customer and currency."""
    if not wanted.get("invoice_item"):
        item, currency = invoice_items.item_from(world, wanted | {"currency": invoice["currency"]}, name)
        if currency != invoice["currency"]:
            message = f"The invoice is in {invoice['currency']}; a line in {currency} cannot be added."
            raise StripeFailure(message, param=f"{name}[pricing][price]")
        return item
    param = f"{name}[invoice_item]"
    made = world.get("invoiceitem", wanted["invoice_item"], param=param, label="invoice item")
    fits = all(made[key] == invoice[key] for key in ("customer", "currency"))
    if made["invoice"] is not None or not fits:
        message = "Only a pending invoice item of the invoice's customer and currency can be added."
        raise StripeFailure(message, param=param)
    return made


def _made_of(world: World, invoice: Json, identifier: str, name: str) -> Json:
    """The invoice item that a line came from; a subscription's own lines are the subscription's to change."""
    line = next((each for each in invoice["_lines"] if each["id"] == identifier), None)
    if line is None:
        raise no_such("line item", identifier, param=f"{name}[id]", status=400)
    details = line["parent"].get("invoice_item_details")
    if details is None:
        message = "Lines of a subscription cannot be changed by hand."
        raise StripeFailure(message, param=f"{name}[id]")
    return world.get("invoiceitem", details["invoice_item"])


def _update(call: Call) -> Json:
    world, invoice = call.world, _draft(call)
    wanted = call.params["lines"]
    made = [_made_of(world, invoice, each["id"], f"lines[{place}]") for place, each in enumerate(wanted)]
    for place, each in enumerate(wanted):
        money.check_granularity(each.get("amount") or 0, invoice["currency"], f"lines[{place}][amount]")
    before = public(invoice)
    _label(call, invoice)
    for item, change in zip(made, wanted, strict=True):
        # An empty period would unset what every line has.
        assign(item, {name: value for name, value in change.items() if name != "id" and (name, value) != NO_PERIOD})
        invoice_items.changed(world, item)
    return _finish(call, invoice, before)


def _remove(call: Call) -> Json:
    world, invoice = call.world, _draft(call)
    wanted = call.params["lines"]
    made = {
        item["id"]: (item, each["behavior"])
        for place, each in enumerate(wanted)
        for item in [_made_of(world, invoice, each["id"], f"lines[{place}]")]
    }
    before = public(invoice)
    _label(call, invoice)
    for item, behavior in made.values():
        invoice_items.take_off(world, invoice, item)
        if behavior == "delete":
            del world.objects["invoiceitem"][item["id"]]
    return _finish(call, invoice, before)


ADDED = group(
    amount=integer(),
    description=text(),
    invoice_item=text(),
    metadata=metadata(),
    period=invoice_items.PERIOD,
    pricing=group(price=text(required=True)),
    quantity=integer(least=0),
    tax_rates=many(text()),
)
CHANGED = group(
    amount=integer(),
    description=text(),
    id=text(required=True),
    metadata=metadata(),
    period=invoice_items.PERIOD,
)
REMOVED = group(behavior=choice("delete", "unassign", required=True), id=text(required=True))
LINE_ROUTES = tuple(
    Route(
        "POST",
        f"/v1/invoices/{{id}}/{verb}_lines",
        handler,
        fields(invoice_metadata=metadata(), lines=many(line, required=True)),
    )
    for verb, handler, line in (("add", _add, ADDED), ("update", _update, CHANGED), ("remove", _remove, REMOVED))
)
