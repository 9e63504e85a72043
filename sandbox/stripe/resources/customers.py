"""Customers and their credit balance. Two customers may share an e-mail address."""

import hashlib

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, StripeFailure, no_such
from sandbox.stripe.params import choice, currency, fields, group, integer, many, merged_metadata, metadata, text
from sandbox.stripe.resource import PAGE_FIELDS, Call, Filter, Resource, Route, updater
from sandbox.stripe.world import World

ADDRESS = group(city=text(), country=text(), line1=text(), line2=text(), postal_code=text(), state=text())
PLAIN = fields(
    address=ADDRESS,
    description=text(),
    email=text(longest=512),
    invoice_prefix=text(),
    invoice_settings=group(default_payment_method=text(), footer=text()),
    metadata=metadata(),
    name=text(longest=256),
    phone=text(longest=20),
    preferred_locales=many(text()),
    shipping=group(address=ADDRESS, name=text(required=True), phone=text()),
    tax_exempt=choice("none", "exempt", "reverse"),
)
ADJUSTMENT = fields(
    amount=integer(required=True), currency=currency(required=True), description=text(), metadata=metadata()
)


def live_customer(world: World, identifier: str, *, param: str = "customer") -> Json:
    """A customer who has not been deleted."""
    customer = world.get("customer", identifier, param=param)
    if customer.get("deleted"):
        raise no_such("customer", identifier, param=param, status=404 if param == "id" else 400)
    return customer


def create_customer(world: World, params: Json) -> Json:
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    customer = world.add(
        "customer",
        "cus",
        address=None,
        balance=0,
        currency=None,
        default_source=None,
        delinquent=False,
        description=None,
        email=None,
        invoice_prefix=None,
        invoice_settings=settings | (params.get("invoice_settings") or {}),
        metadata=merged_metadata({}, params.get("metadata")),
        name=None,
        next_invoice_sequence=1,
        phone=None,
        preferred_locales=[],
        shipping=None,
        tax_exempt="none",
        test_clock=None,
    )
    customer["invoice_prefix"] = hashlib.sha256(customer["id"].encode()).hexdigest()[:8].upper()
    kept = params.keys() - {"metadata", "invoice_settings", "payment_method", "balance"}
    customer |= {name: params[name] for name in kept if params[name] is not None}
    world.emit("customer.created", customer)
    return customer


def adjust_balance(
    world: World, customer: Json, amount: int, currency: str, *, kind: str = "adjustment", **more: object
) -> Json:
    """A negative amount is credit that the next invoices use up."""
    if customer["currency"] not in {None, currency}:
        message = f"The customer's balance is in {customer['currency']}; it cannot be adjusted in {currency}."
        raise StripeFailure(message, param="currency")
    customer["currency"] = currency
    customer["balance"] += amount
    details: Json = {"description": None, "invoice": None, "credit_note": None, "metadata": {}} | more
    return world.add(
        "customer_balance_transaction",
        "cbtxn",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        ending_balance=customer["balance"],
        type=kind,
        **details,
    )


def _create(call: Call) -> Json:
    if call.params.get("test_clock"):
        call.world.get("test_helpers.test_clock", call.params["test_clock"], param="test_clock", label="test clock")
    return create_customer(call.world, call.params)


def _check(call: Call) -> None:
    settings = call.params.get("invoice_settings")
    if settings and settings.get("default_payment_method"):
        call.world.get(
            "payment_method", settings["default_payment_method"], param="invoice_settings[default_payment_method]"
        )


def _delete(call: Call) -> Json:
    return delete_customer(call.world, live_customer(call.world, call.id, param="id"))


def delete_customer(world: World, customer: Json) -> Json:
    """Kept whole, because their invoices live on; shown as a stub."""
    world.emit("customer.deleted", customer)
    customer["deleted"] = True
    return customer


def _create_adjustment(call: Call) -> Json:
    customer = live_customer(call.world, call.id, param="id")
    return adjust_balance(
        call.world,
        customer,
        call.params["amount"],
        call.params["currency"],
        description=call.params.get("description"),
        metadata=merged_metadata({}, call.params.get("metadata")),
    )


def _adjustments(call: Call) -> Json:
    customer = call.world.get("customer", call.id)
    return pages.page(
        call.world.of("customer_balance_transaction", "customer", customer["id"]),
        call.params,
        lambda _each: True,
        call.path,
        "customer_balance_transaction",
    )


def _adjustment(call: Call) -> Json:
    customer = call.world.get("customer", call.id)
    found = call.world.get("customer_balance_transaction", call.ids["transaction"])
    if found["customer"] != customer["id"]:
        raise no_such("customer_balance_transaction", found["id"])
    return found


def _subscriptions(world: World, customer: Json) -> Json:
    theirs = [each for each in world.of("subscription", "customer", customer["id"]) if each["status"] != "canceled"]
    return pages.envelope(theirs, f"/v1/customers/{customer['id']}/subscriptions")


def _hidden(customer: Json, params: Json) -> bool:
    return bool(customer.get("deleted") or (customer["test_clock"] and not params.get("test_clock")))


CUSTOMERS = Resource(
    kind="customer",
    path="/v1/customers",
    references={"invoice_settings.default_payment_method": "payment_method"},
    included={"subscriptions": _subscriptions},
    filters={"email": Filter(text()), "test_clock": Filter(text(), kind="test_helpers.test_clock")},
    hidden=_hidden,
    search={name: name for name in ("created", "email", "metadata", "name", "phone")},
    routes=(
        Route("POST", "/v1/customers", _create, PLAIN | fields(payment_method=text(), test_clock=text())),
        updater("customer", "/v1/customers", PLAIN, event="customer.updated", check=_check),
        Route("DELETE", "/v1/customers/{id}", _delete),
        Route("POST", "/v1/customers/{id}/balance_transactions", _create_adjustment, ADJUSTMENT),
        Route("GET", "/v1/customers/{id}/balance_transactions", _adjustments, PAGE_FIELDS),
        Route("GET", "/v1/customers/{id}/balance_transactions/{transaction}", _adjustment),
    ),
)
