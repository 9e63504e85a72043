"""Tax ids of customers, such as VAT numbers. Verification stays `pending`, as it does with Stripe's test mode."""

import re

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure, no_such
from sandbox.stripe.params import fields, text
from sandbox.stripe.resource import PAGE_FIELDS, Call, Resource, Route
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.world import World

PATH = "/v1/customers/{id}/tax_ids"
TYPE = re.compile(r"[a-z]{2}(_[a-z]{2,4}){1,2}")
FORMATS = {
    "eu_vat": r"[A-Z]{2}[0-9A-Z]{8,12}",
    "gb_vat": r"(GB|XI)([0-9]{9}|[0-9]{12})",
    "us_ein": r"[0-9]{2}-[0-9]{7}",
    "in_gst": r"[0-9]{2}[0-9A-Z]{13}",
}
"""Of the types that the demo's customers may have; of others any value is taken."""
OWNER = {"type": "customer", "account": None, "application": None, "customer_account": None}
VERIFIED = ("au_abn", "eu_vat", "gb_vat")
"""The types that Stripe checks with the authorities."""


def _create(call: Call) -> Json:
    customer = live_customer(call.world, call.id, param="id")
    kind, value = call.params["type"], call.params["value"]
    if not TYPE.fullmatch(kind):
        raise ValidationFailure("Invalid type: must be one of the tax id types.", param="type")
    if kind in FORMATS and not re.fullmatch(FORMATS[kind], value):
        raise StripeFailure(f"Invalid value for {kind}.", code="tax_id_invalid", param="value")
    tax_id = call.world.add(
        "tax_id",
        "txi",
        country=value[:2] if kind == "eu_vat" else kind[:2].upper(),
        customer=customer["id"],
        customer_account=None,
        owner=OWNER | {"customer": customer["id"]},
        type=kind,
        value=value,
        verification={
            "status": "pending" if kind in VERIFIED else "unavailable",
            "verified_address": None,
            "verified_name": None,
        },
    )
    call.world.emit("customer.tax_id.created", tax_id)
    return tax_id


def _list(call: Call) -> Json:
    customer = live_customer(call.world, call.id, param="id")
    theirs = call.world.of("tax_id", "customer", customer["id"])
    return pages.page(theirs, call.params, lambda _each: True, call.path, "tax_id")


def _find(world: World, customer: str, identifier: str) -> Json:
    found = world.get("tax_id", identifier)
    if found["customer"] != live_customer(world, customer, param="id")["id"]:
        raise no_such("tax_id", identifier)
    return found


def _retrieve(call: Call) -> Json:
    return _find(call.world, call.id, call.ids["tax_id"])


def _delete(call: Call) -> Json:
    tax_id = _find(call.world, call.id, call.ids["tax_id"])
    del call.world.objects["tax_id"][tax_id["id"]]
    call.world.emit("customer.tax_id.deleted", tax_id)
    return {"id": tax_id["id"], "object": "tax_id", "deleted": True}


TAX_IDS = Resource(
    kind="tax_id",
    routes=(
        Route("POST", PATH, _create, fields(type=text(required=True), value=text(required=True, longest=100))),
        Route("GET", PATH, _list, PAGE_FIELDS),
        Route("GET", PATH + "/{tax_id}", _retrieve),
        Route("DELETE", PATH + "/{tax_id}", _delete),
    ),
)
