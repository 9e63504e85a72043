"""Invoices and their payments, as routes."""

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, StripeFailure, missing
from sandbox.stripe.params import (
    choice,
    currency,
    fields,
    flag,
    group,
    integer,
    merged_metadata,
    metadata,
    moment_range,
    text,
)
from sandbox.stripe.resource import PAGE_FIELDS, Call, Filter, Resource, Route, assign
from sandbox.stripe.resources import discounts, invoicing, paying
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.resources.invoice_items import add_pending
from sandbox.stripe.resources.invoice_lines import LINE_ROUTES
from sandbox.stripe.resources.payment_methods import payment_method_from
from sandbox.stripe.resources.previewing import CREATE_PREVIEW
from sandbox.stripe.world import World, public

STATUSES = ("draft", "open", "paid", "uncollectible", "void")
COLLECTION = choice("charge_automatically", "send_invoice")
FIRST_LINES = 10
DAY = 86_400
OWN_WAY = {"metadata", "days_until_due", "discounts"}
AFTER_FINALIZING = {"auto_advance", "metadata", "default_payment_method"}
EDITABLE = fields(
    auto_advance=flag(),
    collection_method=COLLECTION,
    days_until_due=integer(least=0),
    default_payment_method=text(),
    description=text(),
    discounts=discounts.DISCOUNTS_FIELD,
    due_date=integer(),
    footer=text(),
    metadata=metadata(),
)


def show(world: World, invoice: Json) -> Json:
    # Of a preview nothing can be asked for later, so it shows all.
    first = None if invoice.get("_preview") else FIRST_LINES
    lines = pages.envelope(
        invoice["_lines"][:first],
        f"/v1/invoices/{invoice['id']}/lines",
        has_more=len(invoice["_lines"][:first]) < len(invoice["_lines"]),
    )
    shown = public(invoice | {"lines": lines})
    if invoice["_token"]:
        address = f"{world.base_url}/_sandbox/invoices/{invoice['_token']}"
        shown |= {"hosted_invoice_url": address, "invoice_pdf": f"{address}.pdf"}
    return shown


def _payments(world: World, invoice: Json) -> Json:
    mine = invoicing.payments_of(world, invoice)
    return pages.envelope(mine, f"/v1/invoice_payments?invoice={invoice['id']}")


def _paid_off_stripe(world: World, invoice: Json) -> int:
    paid = (each for each in invoicing.payments_of(world, invoice) if each["payment"]["type"] == "payment_record")
    return sum(each["amount_paid"] or 0 for each in paid)


def _create(call: Call) -> Json:
    world, params = call.world, call.params
    subscription = _subscription(call)
    owner = params.get("customer") or (subscription or {}).get("customer")
    if not owner:
        raise missing("customer")
    customer = live_customer(world, owner)
    chosen = params.get("currency") or (subscription or {}).get("currency") or customer["currency"] or "usd"
    _check_due(call, params.get("collection_method") or "charge_automatically")
    more = {name: params[name] for name in EDITABLE if name in params and name not in OWN_WAY}
    more["metadata"] = merged_metadata({}, params.get("metadata"))
    more.setdefault("auto_advance", False)
    reductions = _reductions(call, chosen, subscription)
    invoice = invoicing.draft(world, customer, chosen, subscription=subscription, reductions=reductions, **more)
    _set_due(call, invoice)
    if params.get("pending_invoice_items_behavior") == "include":
        add_pending(world, invoice)
    return invoice


def _subscription(call: Call) -> Json | None:
    wanted = call.params.get("subscription")
    return call.world.get("subscription", wanted, param="subscription") if wanted else None


def _reductions(call: Call, currency: str, subscription: Json | None) -> list[Json]:
    """The coupons and discounts asked for; those of the subscription when nothing is said."""
    running = discounts.running(call.world, subscription) if subscription else []
    if "discounts" not in call.params:
        return running
    return discounts.checked(call.world, call.params["discounts"], currency, [each["id"] for each in running])


def _check_due(call: Call, collection_method: str) -> None:
    """Only invoices that are sent have a due date."""
    given = [name for name in ("days_until_due", "due_date") if call.params.get(name) is not None]
    if given and collection_method != "send_invoice":
        message = "You can only specify a due date if the collection_method is send_invoice."
        raise StripeFailure(message, param=given[0])


def _set_due(call: Call, invoice: Json) -> None:
    if (days := call.params.get("days_until_due")) is not None:
        invoice["due_date"] = call.world.now() + days * DAY
    if invoice["collection_method"] != "send_invoice":
        invoice["due_date"] = None


def _update(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    fixed = call.params.keys() - AFTER_FINALIZING
    if invoice["status"] != "draft" and fixed:
        message = "Finalized invoices can't be updated in this way"
        raise StripeFailure(message, code="invoice_not_editable", param=min(fixed))
    _check_due(call, call.params.get("collection_method") or invoice["collection_method"])
    chosen = discounts.checked(
        call.world, call.params.get("discounts") or [], invoice["currency"], invoice["discounts"]
    )
    before = public(invoice)
    assign(invoice, {name: value for name, value in call.params.items() if name != "discounts"})
    if invoice["status"] == "draft":
        _set_due(call, invoice)
    if "discounts" in call.params:
        invoice["discounts"] = discounts.redeem(call.world, chosen, invoice["customer"], invoice=invoice["id"])
        invoicing.total_up(call.world, invoice)
    if not invoice["auto_advance"]:
        invoice["next_payment_attempt"] = None
    call.world.emit("invoice.updated", invoice, before)
    return invoice


def _delete(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    if invoice["status"] != "draft":
        raise StripeFailure("You can only delete draft invoices.")
    call.world.emit("invoice.deleted", invoice)
    del call.world.objects["invoice"][call.id]
    return {"id": call.id, "object": "invoice", "deleted": True}


def _finalize(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    if "auto_advance" in call.params:
        invoice["auto_advance"] = call.params["auto_advance"]
    return invoicing.finalize(call.world, invoice)


def _pay(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    if call.params.get("paid_out_of_band"):
        return paying.pay_out_of_band(call.world, invoice)
    wanted = call.params.get("payment_method")
    method = payment_method_from(call.world, wanted) if wanted else None
    return paying.pay(call.world, invoice, method, off_session=call.params.get("off_session", True))


def _attach(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    given = [name for name in ("payment_intent", "payment_record") if call.params.get(name)]
    if len(given) != 1:
        message = "You must give exactly one of payment_intent and payment_record."
        code = "parameters_exclusive" if given else "parameter_missing"
        raise StripeFailure(message, code=code, param="payment_intent")
    payment = call.world.get(given[0], call.params[given[0]], param=given[0])
    attach = paying.attach_payment if given == ["payment_intent"] else paying.attach_record
    return attach(call.world, invoice, payment)


def _void(call: Call) -> Json:
    return paying.void(call.world, call.world.get("invoice", call.id))


def _write_off(call: Call) -> Json:
    return paying.mark_uncollectible(call.world, call.world.get("invoice", call.id))


def _send(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    if invoice["collection_method"] != "send_invoice":
        raise StripeFailure("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        invoicing.finalize(call.world, invoice)
    call.world.emit("invoice.sent", invoice)
    return invoice


def _lines(call: Call) -> Json:
    invoice = call.world.get("invoice", call.id)
    return pages.page(invoice["_lines"], call.params, lambda _line: True, call.path, "line_item")


def _is_of_subscription(invoice: Json, subscription: str) -> bool:
    return paying.subscription_of(invoice) == subscription


INVOICES = Resource(
    kind="invoice",
    path="/v1/invoices",
    references={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "discounts": "discount",
        "total_discount_amounts.discount": "discount",
        "parent.subscription_details.subscription": "subscription",
    },
    included={"amount_paid_off_stripe": _paid_off_stripe, "payments": _payments},
    filters={
        "collection_method": Filter(COLLECTION),
        "customer": Filter(text(), kind="customer"),
        "due_date": Filter(moment_range(), keep=lambda invoice, wanted: pages.within(invoice["due_date"], wanted)),
        "status": Filter(choice(*STATUSES)),
        "subscription": Filter(text(), keep=_is_of_subscription, kind="subscription"),
    },
    search={
        **{name: name for name in ("created", "currency", "customer", "metadata", "number", "status", "total")},
        "subscription": "parent.subscription_details.subscription",
    },
    show=show,
    routes=(
        CREATE_PREVIEW,
        Route(
            "POST",
            "/v1/invoices",
            _create,
            EDITABLE
            | fields(
                currency=currency(),
                customer=text(),
                pending_invoice_items_behavior=choice("include", "exclude"),
                subscription=text(),
            ),
        ),
        Route("POST", "/v1/invoices/{id}", _update, EDITABLE),
        Route("DELETE", "/v1/invoices/{id}", _delete),
        Route("GET", "/v1/invoices/{id}/lines", _lines, PAGE_FIELDS),
        Route("POST", "/v1/invoices/{id}/finalize", _finalize, fields(auto_advance=flag())),
        Route(
            "POST",
            "/v1/invoices/{id}/pay",
            _pay,
            fields(off_session=flag(), paid_out_of_band=flag(), payment_method=text()),
        ),
        Route(
            "POST", "/v1/invoices/{id}/attach_payment", _attach, fields(payment_intent=text(), payment_record=text())
        ),
        *LINE_ROUTES,
        Route("POST", "/v1/invoices/{id}/send", _send),
        Route("POST", "/v1/invoices/{id}/void", _void),
        Route("POST", "/v1/invoices/{id}/mark_uncollectible", _write_off),
    ),
)


def _is_payment_by(payment: Json, wanted: Json) -> bool:
    return all(payment["payment"].get(name) == value for name, value in wanted.items())


INVOICE_PAYMENTS = Resource(
    kind="invoice_payment",
    path="/v1/invoice_payments",
    references={
        "invoice": "invoice",
        "payment.charge": "charge",
        "payment.payment_intent": "payment_intent",
        "payment.payment_record": "payment_record",
    },
    filters={
        "invoice": Filter(text(), kind="invoice"),
        "payment": Filter(
            group(
                type=choice("charge", "payment_intent", "payment_record", required=True),
                charge=text(),
                payment_intent=text(),
                payment_record=text(),
            ),
            keep=_is_payment_by,
        ),
        "status": Filter(choice("open", "paid", "canceled")),
    },
)
