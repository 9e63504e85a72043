"""Invoice items: charges that wait for the next invoice, or are put on a draft at once."""

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.params import (
    Field,
    choice,
    currency,
    fields,
    flag,
    group,
    integer,
    many,
    merged_metadata,
    metadata,
    text,
)
from sandbox.stripe.resource import Call, Filter, Resource, Route, assign
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.resources.invoicing import total_up
from sandbox.stripe.resources.lines import Item, make_line, pricing
from sandbox.stripe.world import World


def create_item(world: World, customer: Json, currency: str, item: Item, invoice: Json | None = None) -> Json:
    """Pending unless a draft is given."""
    made = world.add(
        "invoiceitem",
        "ii",
        amount=item.amount,
        currency=currency,
        customer=customer["id"],
        date=world.now(),
        description=item.description,
        discountable=not item.proration,
        discounts=[],
        invoice=None,
        metadata=dict(item.metadata),
        net_amount=item.amount,
        parent=_parent(item),
        period={"start": item.period[0], "end": item.period[1]},
        pricing=pricing(item.price) if item.price else None,
        proration=item.proration,
        quantity=item.quantity,
        quantity_decimal=str(item.quantity),
        tax_rates=[world.get("tax_rate", rate, param="tax_rates") for rate in item.tax_rates],
        test_clock=customer["test_clock"],
        _item=[item.price and item.price["id"], item.subscription, item.subscription_item, list(item.tax_rates)],
    )
    del made["created"]
    if invoice:
        put(world, invoice, made)
    return made


def _parent(item: Item) -> Json | None:
    if not item.subscription:
        return None
    details = {"subscription": item.subscription, "subscription_item": item.subscription_item}
    return {"subscription_details": details, "type": "subscription_details"}


def pending(world: World, customer: str, currency: str, subscription: str | None = None) -> list[Json]:
    """Oldest first; of one subscription when it is named."""
    return [
        each
        for each in reversed(world.of("invoiceitem", "customer", customer))
        if (each["invoice"], each["currency"]) == (None, currency)
        and (subscription is None or each["_item"][1] in {subscription, None})
    ]


def add_pending(world: World, invoice: Json, subscription: str | None = None) -> None:
    for each in pending(world, invoice["customer"], invoice["currency"], subscription):
        put(world, invoice, each)


def put(world: World, invoice: Json, made: Json) -> None:
    made["invoice"] = invoice["id"]
    invoice["_lines"].append(_line(world, invoice, made))
    total_up(world, invoice)


def _line(world: World, invoice: Json, made: Json) -> Json:
    price, subscription, subscription_item, tax_rates = made["_item"]
    item = Item(
        description=made["description"],
        amount=made["amount"],
        period=(made["period"]["start"], made["period"]["end"]),
        quantity=made["quantity"],
        price=world.find("price", price),
        proration=made["proration"],
        subscription=subscription,
        subscription_item=subscription_item,
        tax_rates=tuple(tax_rates),
        metadata=made["metadata"],
    )
    return make_line(world, invoice, item, made["id"])


def _draft(call: Call) -> Json | None:
    wanted = call.params.get("invoice")
    invoice = call.world.get("invoice", wanted, param="invoice") if wanted else None
    if invoice and invoice["status"] != "draft":
        message = "This invoice is no longer editable"
        raise StripeFailure(message, code="invoice_not_editable", param="invoice")
    return invoice


def _create(call: Call) -> Json:
    world, params = call.world, call.params
    customer, invoice = live_customer(world, params["customer"]), _draft(call)
    item, code = item_from(world, {"currency": (invoice or {}).get("currency", "usd")} | params)
    made = create_item(world, customer, code, item, invoice)
    world.emit("invoiceitem.created", made)
    return made


def item_from(world: World, params: Json, inside: str = "") -> tuple[Item, str]:
    """What the parameters describe, by amount or by price, and its currency. `inside` is where they stood."""
    in_name = (lambda name: f"{inside}[{name}]") if inside else str
    chosen = (params.get("pricing") or {}).get("price")
    price = world.get("price", chosen, param=in_name("pricing") + "[price]") if chosen else None
    if (price is None) == ("amount" not in params):
        message = "You must give exactly one of amount and pricing."
        raise StripeFailure(message, code="parameter_missing", param=in_name("amount"))
    quantity = params.get("quantity", 1)
    unit = price["unit_amount"] if price else params["amount"]
    code: str = price["currency"] if price else params["currency"]
    money.check_granularity(unit, code, in_name("amount"))
    for rate in params.get("tax_rates") or ():
        world.get("tax_rate", rate, param=in_name("tax_rates"))
    period = params.get("period") or {"start": world.now(), "end": world.now()}
    item = Item(
        description=params.get("description") or "Invoice item",
        amount=unit * quantity if price else unit,
        period=(period["start"], period["end"]),
        quantity=quantity,
        price=price,
        tax_rates=tuple(params.get("tax_rates") or ()),
        metadata=merged_metadata({}, params.get("metadata")),
    )
    return item, code


def _update(call: Call) -> Json:
    made = _editable(call)
    money.check_granularity(call.params.get("amount") or 0, made["currency"])
    assign(made, call.params)
    changed(call.world, made)
    return made


def changed(world: World, made: Json) -> None:
    """The item has new values: so has its line, if it is on an invoice."""
    made["net_amount"] = made["amount"]
    if invoice := world.find("invoice", made["invoice"]):
        remade = _line(world, invoice, made)
        invoice["_lines"] = [
            remade | {"id": line["id"]} if _comes_from(line, made) else line for line in invoice["_lines"]
        ]
        total_up(world, invoice)


def take_off(world: World, invoice: Json, made: Json) -> None:
    """Pending again."""
    made["invoice"] = None
    invoice["_lines"] = [line for line in invoice["_lines"] if not _comes_from(line, made)]
    total_up(world, invoice)


def _delete(call: Call) -> Json:
    made = _editable(call)
    if invoice := call.world.find("invoice", made["invoice"]):
        take_off(call.world, invoice, made)
    del call.world.objects["invoiceitem"][call.id]
    call.world.emit("invoiceitem.deleted", made)
    return {"id": call.id, "object": "invoiceitem", "deleted": True}


def _editable(call: Call) -> Json:
    made = call.world.get("invoiceitem", call.id, label="invoice item")
    invoice = call.world.find("invoice", made["invoice"])
    if invoice and invoice["status"] != "draft":
        raise StripeFailure("This invoice is no longer editable", code="invoice_not_editable")
    return made


def _comes_from(line: Json, made: Json) -> bool:
    details = line["parent"].get("invoice_item_details") or {}
    return bool(details.get("invoice_item") == made["id"])


def _pending_filter() -> Filter:
    return Filter(flag(), keep=lambda made, wanted: (made["invoice"] is None) == wanted)


PERIOD: Field = group(start=integer(required=True), end=integer(required=True))
COMMON = fields(amount=integer(), description=text(), metadata=metadata())
INVOICE_ITEMS = Resource(
    kind="invoiceitem",
    path="/v1/invoiceitems",
    label="invoice item",
    references={"customer": "customer", "invoice": "invoice"},
    filters={
        "customer": Filter(text(), kind="customer"),
        "invoice": Filter(text(), kind="invoice"),
        "pending": _pending_filter(),
    },
    routes=(
        Route(
            "POST",
            "/v1/invoiceitems",
            _create,
            COMMON
            | fields(
                currency=currency(),
                customer=text(required=True),
                invoice=text(),
                period=PERIOD,
                pricing=group(price=text(required=True)),
                quantity=integer(least=0),
                tax_rates=many(text()),
                tax_behavior=choice("exclusive", "inclusive", "unspecified"),
            ),
        ),
        Route("POST", "/v1/invoiceitems/{id}", _update, COMMON),
        Route("DELETE", "/v1/invoiceitems/{id}", _delete),
    ),
)
