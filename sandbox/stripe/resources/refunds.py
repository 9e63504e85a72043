"""Refunds, with Stripe's checks in Stripe's order."""

import hashlib

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.params import choice, fields, flag, integer, merged_metadata, metadata, text
from sandbox.stripe.resource import Call, Filter, Resource, Route, updater
from sandbox.stripe.resources import balance
from sandbox.stripe.resources.disputes import blocking_dispute
from sandbox.stripe.world import World, public

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILURES = (
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)
STATUSES = {"pending_refund": "pending", "refund_action": "requires_action"}
OVER = ("failed", "canceled")
ACTION_SECONDS = 45 * 86_400
LATER = {"pending_refund": "succeeded", "refund_fail": "failed"}
SETTLING_SECONDS = 60
FRESH_SECONDS = 2 * 3600


def refund(
    world: World,
    charge: Json,
    amount: int | None = None,
    *,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
    instructions_email: str | None = None,
) -> Json:
    """Gives back all or a part of what is left. Raises Stripe's refusal; then nothing has changed."""
    amount = allowed(world, charge, amount)
    method = world.find("payment_method", charge["payment_method"]) or {}
    behaviour = method.get("_behaviour", "")
    entry = balance.record(world, "refund", -amount, charge["currency"], charge["id"])
    made = world.add(
        "refund",
        "re",
        amount=amount,
        balance_transaction=entry["id"],
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={"card": _destination(world, charge, entry["id"]), "type": "card"},
        metadata=metadata or {},
        payment_intent=charge["payment_intent"],
        reason=reason,
        receipt_number=None,
        source_transfer_reversal=None,
        status=STATUSES.get(behaviour, "succeeded"),
        transfer_reversal=None,
        _later=LATER.get(behaviour) and [world.now() + SETTLING_SECONDS, LATER[behaviour]],
    )
    if made["status"] == "pending":
        made["pending_reason"] = "processing"
    if instructions_email:
        made["instructions_email"] = instructions_email
    if made["status"] == "requires_action":
        made["next_action"] = _ask_customer(world, instructions_email or charge["billing_details"]["email"])
    before = public(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge, before)
    return made


def settle_later(world: World, made: Json, seconds: int) -> None:
    """The bank of a slow or failing test card takes its days, where the card by itself takes a minute."""
    if made["_later"]:
        made["_later"] = [world.now() + seconds, made["_later"][1]]


def settle_due(world: World, made: Json) -> None:
    """A refund of Stripe's slow and failing test cards gets its final status."""
    settle(world, made, made["_later"][1], "expired_or_canceled_card")


def settle(world: World, made: Json, status: str, failure_reason: str | None = None) -> Json:
    """The bank's later word. A failed refund gives the capacity back to the charge."""
    if made["status"] in OVER:
        raise StripeFailure(f"Refund {made['id']} is already {made['status']}.", param="status")
    before = public(made)
    made |= {"status": status, "_later": None}
    for name in ("pending_reason", "next_action"):
        made.pop(name, None)
    if status in OVER:
        _give_back(world, made, failure_reason or "unknown")
    if status == "failed":
        world.emit("refund.failed", made, before)
    # Stripe sends the older twin of each update too.
    for event in ("refund.updated", "charge.refund.updated"):
        world.emit(event, made, before)
    return made


def _give_back(world: World, made: Json, reason: str) -> None:
    """The charge can be refunded again, and the balance has its money back."""
    charge = world.get("charge", made["charge"])
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    entry = balance.record(world, "refund_failure", made["amount"], made["currency"], made["id"])
    made |= {"failure_balance_transaction": entry["id"], "failure_reason": reason}


def fail_disputed(world: World, dispute: Json) -> None:
    """A chargeback takes the money, so refunds of that charge that are still on their way come to nothing."""
    for made in world.of("refund", "charge", dispute["charge"]):
        if made["status"] == "pending":
            settle(world, made, "failed", "charge_for_pending_refund_disputed")


def cancel(world: World, made: Json) -> Json:
    """Only while the customer has not done their part."""
    if made["status"] != "requires_action":
        message = f"Refund {made['id']} is {made['status']}; only refunds that require action can be canceled."
        raise StripeFailure(message)
    return settle(world, made, "canceled", "merchant_request")


def _ask_customer(world: World, email: str | None) -> Json:
    sent = {"email_sent_at": world.now(), "email_sent_to": email or ""}
    details = {"email_sent": sent, "expires_at": world.now() + ACTION_SECONDS}
    return {"type": "display_details", "display_details": details}


def allowed(world: World, charge: Json, amount: int | None, param: str = "amount") -> int:
    """The amount to refund, after every check that Stripe makes."""
    name = charge["id"]
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise StripeFailure(f"Charge {name} is not refundable.", code="charge_not_refundable")
    if blocking_dispute(world, charge):
        message = f"Charge {name} has been charged back; cannot issue a refund."
        raise StripeFailure(message, code="charge_disputed")
    remaining = charge["amount_captured"] - charge["amount_refunded"]
    if remaining == 0:
        raise StripeFailure(f"Charge {name} has already been refunded.", code="charge_already_refunded")
    amount = remaining if amount is None else amount
    if amount > remaining:
        currency = charge["currency"]
        message = (
            f"Refund amount ({money.shown(amount, currency)}) is greater than unrefunded amount on charge "
            f"({money.shown(remaining, currency)})"
        )
        raise StripeFailure(message, param=param)
    if amount <= 0:
        raise StripeFailure("Invalid positive integer", code="parameter_invalid_integer", param=param)
    if amount != remaining:
        money.check_granularity(amount, charge["currency"], param)
    return amount


def _destination(world: World, charge: Json, seed: str) -> Json:
    """A fresh charge is taken back before it settles, so it vanishes from the statement: a reversal."""
    if world.now() - charge["created"] < FRESH_SECONDS:
        return {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "reversal"}
    digits = str(int(hashlib.sha256(seed.encode()).hexdigest(), 16))
    return {
        "reference": digits[:23],
        "reference_status": "available",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }


def _charge_of(call: Call) -> Json:
    charge, intent = call.params.get("charge"), call.params.get("payment_intent")
    if bool(charge) == bool(intent):
        message = (
            "You may only specify one of these parameters: charge, payment_intent."
            if charge
            else "One of the following params should be provided for this request: payment_intent or charge."
        )
        raise StripeFailure(message, code="parameters_exclusive" if charge else "parameter_missing", param="charge")
    if charge:
        return call.world.get("charge", charge, param="charge")
    found = call.world.get("payment_intent", intent or "", param="payment_intent")
    if found["status"] != "succeeded":
        message = f"This PaymentIntent ({found['id']}) does not have a successful charge to refund."
        raise StripeFailure(message, code="payment_intent_unexpected_state", param="payment_intent")
    return call.world.get("charge", found["latest_charge"])


def _create(call: Call) -> Json:
    charge = _charge_of(call)
    for name in ("refund_application_fee", "reverse_transfer"):
        if call.params.get(name):
            message = f"Charge {charge['id']} has no application fee and no transfer, so {name} cannot be true."
            raise StripeFailure(message, param=name)
    return refund(
        call.world,
        charge,
        call.params.get("amount"),
        reason=call.params.get("reason"),
        metadata=merged_metadata({}, call.params.get("metadata")),
        instructions_email=call.params.get("instructions_email"),
    )


def _cancel(call: Call) -> Json:
    return cancel(call.world, call.world.get("refund", call.id))


REFUNDS = Resource(
    kind="refund",
    path="/v1/refunds",
    references={
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
    },
    filters={
        "charge": Filter(text(), kind="charge"),
        "payment_intent": Filter(text(), kind="payment_intent"),
    },
    routes=(
        Route(
            "POST",
            "/v1/refunds",
            _create,
            fields(
                amount=integer(),
                charge=text(),
                instructions_email=text(),
                metadata=metadata(),
                payment_intent=text(),
                reason=choice(*REASONS),
                refund_application_fee=flag(),
                reverse_transfer=flag(),
            ),
        ),
        Route("POST", "/v1/refunds/{id}/cancel", _cancel),
        updater("refund", "/v1/refunds", fields(metadata=metadata()), event="refund.updated"),
    ),
)
