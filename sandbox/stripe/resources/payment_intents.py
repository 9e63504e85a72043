"""PaymentIntents: create, confirm, cancel. Cards succeed or decline at once, as their test token says."""

import secrets

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure, card_error
from sandbox.stripe.params import (
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
from sandbox.stripe.resources import disputes
from sandbox.stripe.resources.charges import AUTHORISED_SECONDS, DECLINES, capture_charge, create_charge, release_charge
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.resources.payment_methods import behaviour, payment_method_from
from sandbox.stripe.world import World, public

WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
UNAUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
WITHOUT_METHOD = "You cannot confirm this PaymentIntent because it's missing a payment method."
PAST = {"confirm": "confirmed", "cancel": "canceled", "update": "updated"}


def create_intent(
    world: World,
    amount: int,
    currency: str,
    *,
    customer: Json | None = None,
    method: Json | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    receipt_email: str | None = None,
    capture_method: str = "automatic",
) -> Json:
    intent = world.add(
        "payment_intent",
        "pi",
        amount=amount,
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        application=None,
        application_fee_amount=None,
        automatic_payment_methods=None,
        canceled_at=None,
        cancellation_reason=None,
        capture_method=capture_method,
        client_secret=None,
        confirmation_method="automatic",
        currency=currency,
        customer=customer and customer["id"],
        description=description,
        last_payment_error=None,
        latest_charge=None,
        metadata=metadata or {},
        next_action=None,
        on_behalf_of=None,
        payment_method=method and method["id"],
        payment_method_options={"card": {"installments": None, "network": None, "request_three_d_secure": "automatic"}},
        payment_method_types=["card"],
        processing=None,
        receipt_email=receipt_email,
        review=None,
        setup_future_usage=None,
        shipping=None,
        source=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="requires_confirmation" if method else "requires_payment_method",
        transfer_data=None,
        transfer_group=None,
        _capture_before=None,
    )
    intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_urlsafe(16)}"
    world.emit("payment_intent.created", intent)
    return intent


def confirm(world: World, intent: Json, *, off_session: bool = False) -> Json:
    """The charge, when the card works. Raises Stripe's card_error when it does not; the attempt stays on record."""
    _check_waiting(intent, "confirm")
    method = world.find("payment_method", intent["payment_method"])
    if method is None:
        raise _unexpected(intent, WITHOUT_METHOD)
    before = public(intent)
    does = behaviour(world, method)
    if does == "authentication_required" and not off_session:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        intent |= {"status": "requires_action", "next_action": action}
        world.emit("payment_intent.requires_action", intent, before)
        return intent
    if does in DECLINES:
        raise _decline(world, intent, method, does, before)
    return _charged(world, intent, method, before)


def authenticate(world: World, intent: Json, *, passed: bool) -> bool:
    """The cardholder's answer to their bank, which `requires_action` waits for."""
    method = world.get("payment_method", intent["payment_method"])
    before = public(intent)
    if passed:
        _charged(world, intent, method, before)
        return True
    code = "payment_intent_authentication_failure"
    details: Json = {"code": code, "message": UNAUTHENTICATED, "type": "invalid_request_error"}
    details["payment_method"] = public(method)
    intent |= {"status": "requires_payment_method", "last_payment_error": details, "next_action": None}
    intent["payment_method"] = None
    world.emit("payment_intent.payment_failed", intent, before)
    return False


def _charged(world: World, intent: Json, method: Json, before: Json) -> Json:
    manual = intent["capture_method"] == "manual"
    charge = create_charge(world, intent, method, captured=not manual)
    intent |= {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
    if manual:
        until = world.now() + AUTHORISED_SECONDS
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"], "_capture_before": until}
        world.emit("payment_intent.amount_capturable_updated", intent, before)
        return intent
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    world.emit("payment_intent.succeeded", intent, before)
    _dispute_as_the_card_says(world, charge, method)
    return intent


def _dispute_as_the_card_says(world: World, charge: Json, method: Json) -> None:
    if method["_behaviour"] in disputes.BY_CARD:
        disputes.open_dispute(world, charge, status=disputes.BY_CARD[method["_behaviour"]])


def capture(world: World, intent: Json, amount: int | None = None) -> Json:
    """Takes all or a part of what is authorised; the rest drops off by itself."""
    if intent["status"] != "requires_capture":
        message = (
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture."
        )
        raise _unexpected(intent, message)
    capturable = intent["amount_capturable"]
    amount = capturable if amount is None else amount
    if amount > capturable:
        message = (
            f"The provided capture amount {money.shown(amount, intent['currency'])} exceeds the capturable amount "
            f"{money.shown(capturable, intent['currency'])}."
        )
        raise StripeFailure(message, code="amount_too_large", param="amount_to_capture")
    if amount != capturable:
        money.check_granularity(amount, intent["currency"], "amount_to_capture")
    before = public(intent)
    charge = world.get("charge", intent["latest_charge"])
    capture_charge(world, charge, amount)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    world.emit("payment_intent.succeeded", intent, before)
    _dispute_as_the_card_says(
        world, charge, world.find("payment_method", intent["payment_method"]) or {"_behaviour": ""}
    )
    return intent


def _decline(world: World, intent: Json, method: Json, reason: str, before: Json) -> StripeFailure:
    code, message = DECLINES[reason]
    charge = create_charge(world, intent, method, decline=reason)
    details: Json = {"charge": charge["id"], "code": code, "decline_code": reason, "message": message}
    details |= {"type": "card_error", "payment_method": public(method)}
    intent |= {"status": "requires_payment_method", "latest_charge": charge["id"], "last_payment_error": details}
    # A declined card is let go, so the next attempt has to name one again.
    intent["payment_method"] = None
    world.emit("payment_intent.payment_failed", intent, before)
    more = {"charge": charge["id"], "payment_intent": public(intent), "payment_method": public(method)}
    return card_error(message, code=code, decline_code=reason, **more)


def cancel(world: World, intent: Json, reason: str | None = None) -> Json:
    """An authorisation that was not captured goes back to the card: no refund, the charge just vanishes."""
    if intent["status"] != "requires_capture":
        _check_waiting(intent, "cancel")
    before = public(intent)
    if intent["status"] == "requires_capture":
        release_charge(world, world.get("charge", intent["latest_charge"]), expired=reason == "automatic")
    intent |= {"status": "canceled", "canceled_at": world.now(), "cancellation_reason": reason}
    intent["amount_capturable"] = 0
    world.emit("payment_intent.canceled", intent, before)
    return intent


def _check_waiting(intent: Json, verb: str) -> None:
    if intent["status"] not in WAITING:
        message = (
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be {PAST[verb]}: {', '.join(WAITING)}."
        )
        raise _unexpected(intent, message)


def _unexpected(intent: Json, message: str) -> StripeFailure:
    return StripeFailure(message, code="payment_intent_unexpected_state", payment_intent=public(intent))


def _create(call: Call) -> Json:
    params, world = call.params, call.world
    money.check_charge_amount(params["amount"], params["currency"])
    customer = live_customer(world, params["customer"]) if params.get("customer") else None
    method = payment_method_from(world, params["payment_method"]) if params.get("payment_method") else None
    if method and method["customer"] and method["customer"] != (customer or {}).get("id"):
        message = (
            "The provided PaymentMethod cannot be attached. To reuse a PaymentMethod, you must attach it to a "
            "Customer first."
        )
        raise StripeFailure(message, param="payment_method")
    if params.get("confirm") and method is None:
        # Before anything is made: this refusal has no PaymentIntent to name.
        raise StripeFailure(WITHOUT_METHOD, code="payment_intent_unexpected_state")
    intent = create_intent(
        world,
        params["amount"],
        params["currency"],
        customer=customer,
        method=method,
        description=params.get("description"),
        metadata=merged_metadata({}, params.get("metadata")),
        receipt_email=params.get("receipt_email"),
        capture_method=params.get("capture_method") or "automatic",
    )
    return confirm(world, intent, off_session=params.get("off_session", False)) if params.get("confirm") else intent


def _confirm(call: Call) -> Json:
    intent = call.world.get("payment_intent", call.id)
    if call.params.get("payment_method"):
        _check_waiting(intent, "confirm")
        intent["payment_method"] = payment_method_from(call.world, call.params["payment_method"])["id"]
    if call.params.get("capture_method"):
        intent["capture_method"] = call.params["capture_method"]
    return confirm(call.world, intent, off_session=call.params.get("off_session", False))


def _update(call: Call) -> Json:
    """Amount, currency, customer and card only while nothing has been charged."""
    world, params = call.world, call.params
    intent = world.get("payment_intent", call.id)
    if params.keys() & BEFORE_CONFIRMING.keys():
        _check_waiting(intent, "update")
    wanted = intent | {name: params[name] for name in ("amount", "currency") if params.get(name)}
    if {"amount", "currency"} & params.keys():
        money.check_charge_amount(wanted["amount"], wanted["currency"])
    if params.get("customer"):
        live_customer(world, params["customer"])
    if params.get("payment_method"):
        method = payment_method_from(world, params["payment_method"])
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    assign(intent, {name: value for name, value in params.items() if name != "payment_method"})
    return intent


def _capture(call: Call) -> Json:
    intent = call.world.get("payment_intent", call.id)
    captured = capture(call.world, intent, call.params.get("amount_to_capture"))
    assign(captured, {"metadata": call.params["metadata"]} if "metadata" in call.params else {})
    return captured


def _cancel(call: Call) -> Json:
    intent = call.world.get("payment_intent", call.id)
    return cancel(call.world, intent, call.params.get("cancellation_reason"))


def _capture_charge(call: Call) -> Json:
    """The same by the charge's name, as it was done before there were PaymentIntents."""
    charge = call.world.get("charge", call.id)
    intent = call.world.get("payment_intent", charge["payment_intent"])
    if intent["status"] != "requires_capture":
        message = f"Charge {charge['id']} has already been captured or can no longer be."
        raise StripeFailure(message, code="charge_already_captured")
    capture(call.world, intent, call.params.get("amount"))
    return charge


REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
EDITABLE = fields(description=text(), metadata=metadata(), receipt_email=text())
CAPTURE_METHOD = choice("automatic", "automatic_async", "manual")
BEFORE_CONFIRMING = fields(
    amount=integer(least=1),
    capture_method=CAPTURE_METHOD,
    currency=currency(),
    customer=text(),
    payment_method=text(),
)
CONFIRMING = fields(payment_method=text(), off_session=flag(), return_url=text(), capture_method=CAPTURE_METHOD)
CREATING = fields(
    amount=integer(required=True, least=1),
    automatic_payment_methods=group(enabled=flag(), allow_redirects=choice("always", "never")),
    confirm=flag(),
    currency=currency(required=True),
    customer=text(),
    allowed_payment_method_types=many(choice("card")),
)
PAYMENT_INTENTS = Resource(
    kind="payment_intent",
    path="/v1/payment_intents",
    references={"customer": "customer", "latest_charge": "charge", "payment_method": "payment_method"},
    filters={"customer": Filter(text(), kind="customer")},
    search={name: name for name in ("amount", "created", "currency", "customer", "metadata", "status")},
    routes=(
        Route("POST", "/v1/payment_intents", _create, EDITABLE | CONFIRMING | CREATING),
        Route("POST", "/v1/payment_intents/{id}", _update, EDITABLE | BEFORE_CONFIRMING),
        Route("POST", "/v1/payment_intents/{id}/confirm", _confirm, CONFIRMING),
        Route(
            "POST",
            "/v1/payment_intents/{id}/capture",
            _capture,
            fields(amount_to_capture=integer(least=1), metadata=metadata()),
        ),
        Route("POST", "/v1/charges/{id}/capture", _capture_charge, fields(amount=integer(least=1))),
        Route("POST", "/v1/payment_intents/{id}/cancel", _cancel, fields(cancellation_reason=choice(*REASONS))),
    ),
)
