"""Cards, made from Stripe's test tokens alone: no test, log or state file ever carries a card number."""

import hashlib
from dataclasses import dataclass

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, StripeFailure, no_such
from sandbox.stripe.params import choice, fields, group, merged_metadata, metadata, text
from sandbox.stripe.resource import PAGE_FIELDS, Call, Filter, Resource, Route, updater
from sandbox.stripe.resources.customers import ADDRESS, live_customer
from sandbox.stripe.world import World, public


@dataclass(frozen=True)
class TestCard:
    """What the network does with a test token. `behaviour` is empty for a card that just works."""

    brand: str
    last4: str
    behaviour: str = ""


CARDS = {
    "pm_card_visa": TestCard("visa", "4242"),
    "pm_card_visa_debit": TestCard("visa", "5556"),
    "pm_card_mastercard": TestCard("mastercard", "4444"),
    "pm_card_amex": TestCard("amex", "8431"),
    "pm_card_jcb": TestCard("jcb", "0505"),
    "pm_card_chargeDeclined": TestCard("visa", "0002", "generic_decline"),
    "pm_card_visa_chargeDeclined": TestCard("visa", "0002", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard("visa", "9995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": TestCard("visa", "9995", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": TestCard("visa", "0069", "expired_card"),
    "pm_card_chargeCustomerFail": TestCard("visa", "0341", "generic_decline"),
    "pm_card_authenticationRequired": TestCard("visa", "3184", "authentication_required"),
    "pm_card_createDispute": TestCard("visa", "0259", "dispute"),
    "pm_card_createDisputeInquiry": TestCard("visa", "1976", "inquiry"),
    "pm_card_pendingRefund": TestCard("visa", "7726", "pending_refund"),
    "pm_card_refundFail": TestCard("visa", "5126", "refund_fail"),
    # Ours: Stripe's cards never need it, but bank transfers and vouchers wait for the customer's bank details.
    "pm_card_refundRequiresAction": TestCard("visa", "7734", "refund_action"),
}
TO_CHOOSE = {
    "pm_card_visa": "works",
    "pm_card_mastercard": "works",
    "pm_card_amex": "works",
    "pm_card_authenticationRequired": "asks for authentication",
    "pm_card_chargeCustomerFail": "can be kept, but declines",
    "pm_card_chargeDeclinedInsufficientFunds": "declines: insufficient funds",
}


def cards_to_choose() -> list[tuple[str, str]]:
    """For people: test token and what it is."""
    named = ((token, CARDS[token], does) for token, does in TO_CHOOSE.items())
    return [(token, f"{each.brand.capitalize()} •••• {each.last4}, {does}") for token, each, does in named]


BILLING = group(address=ADDRESS, email=text(), name=text(), phone=text())
RAW_CARD = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that "
    "map to the test card you are using, see https://stripe.com/docs/testing."
)


def payment_method_from(world: World, identifier: str, *, param: str = "payment_method") -> Json:
    """An existing card, or a fresh one when a test token is named."""
    if identifier in CARDS:
        return card(world, identifier)
    return world.get("payment_method", identifier, param=param, label="PaymentMethod")


def card(world: World, token: str, **billing: str | None) -> Json:
    """The same token always gives the same fingerprint, as the same card number would."""
    test = CARDS[token]
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return world.add(
        "payment_method",
        "pm",
        allow_redisplay="unspecified",
        billing_details={"address": address, "email": None, "name": None, "phone": None, "tax_id": None} | billing,
        card={
            "brand": test.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": test.brand,
            "exp_month": 8,
            "exp_year": 2031,
            "fingerprint": hashlib.sha256(f"{test.brand}{test.last4}".encode()).hexdigest()[:16],
            "funding": "credit",
            "generated_from": None,
            "last4": test.last4,
            "networks": {"available": [test.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        customer=None,
        metadata={},
        type="card",
        _behaviour=test.behaviour,
    )


def behaviour(world: World, method: Json) -> str:
    """What the card does when it is charged, which a fault may order."""
    return world.declining or str(method["_behaviour"])


def attach(world: World, method: Json, customer: Json) -> Json:
    if method["customer"] not in {None, customer["id"]}:
        message = "The payment method you provided has already been attached to a customer."
        raise StripeFailure(message, code="payment_method_unexpected_state")
    method["customer"] = customer["id"]
    world.emit("payment_method.attached", method)
    return method


def _create(call: Call) -> Json:
    details = call.params.get("card") or {}
    if "number" in details:
        raise StripeFailure(RAW_CARD, status=402, kind="card_error", code="card_declined")
    token = details.get("token") or ""
    if token.replace("tok_", "pm_card_", 1) not in CARDS:
        raise no_such("token", token, param="card[token]", status=400)
    billing = {name: value for name, value in (call.params.get("billing_details") or {}).items() if value}
    method = card(call.world, token.replace("tok_", "pm_card_", 1), **billing)
    method["metadata"] = merged_metadata({}, call.params.get("metadata"))
    return method


def _attach(call: Call) -> Json:
    method = payment_method_from(call.world, call.id, param="id")
    return attach(call.world, method, live_customer(call.world, call.params["customer"]))


def _detach(call: Call) -> Json:
    method = call.world.get("payment_method", call.id, label="PaymentMethod")
    before = public(method)
    customer = call.world.find("customer", method["customer"])
    method["customer"] = None
    settings = (customer or {}).get("invoice_settings", {})
    if settings.get("default_payment_method") == method["id"]:
        settings["default_payment_method"] = None
    call.world.emit("payment_method.detached", method, before)
    return method


def _of_customer(call: Call) -> Json:
    customer = live_customer(call.world, call.id, param="id")
    methods = call.world.of("payment_method", "customer", customer["id"])
    return pages.page(methods, call.params, lambda _method: True, call.path, "PaymentMethod")


RAW = group(number=text(), exp_month=text(), exp_year=text(), cvc=text(), token=text())
PAYMENT_METHODS = Resource(
    kind="payment_method",
    path="/v1/payment_methods",
    label="PaymentMethod",
    dated=False,
    references={"customer": "customer"},
    filters={"customer": Filter(text(), kind="customer"), "type": Filter(choice("card"))},
    hidden=lambda method, params: method["customer"] is None or not params.get("customer"),
    routes=(
        Route(
            "POST",
            "/v1/payment_methods",
            _create,
            fields(type=choice("card", required=True), card=RAW, billing_details=BILLING, metadata=metadata()),
        ),
        updater("payment_method", "/v1/payment_methods", fields(metadata=metadata()), event="payment_method.updated"),
        Route("POST", "/v1/payment_methods/{id}/attach", _attach, fields(customer=text(required=True))),
        Route("POST", "/v1/payment_methods/{id}/detach", _detach),
        Route("GET", "/v1/customers/{id}/payment_methods", _of_customer, PAGE_FIELDS | fields(type=choice("card"))),
    ),
)
