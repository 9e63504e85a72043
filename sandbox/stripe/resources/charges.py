"""Charges: made by confirming a PaymentIntent, changed by refunds and disputes, otherwise only read."""

from sandbox.stripe import pages
from sandbox.stripe.errors import Json
from sandbox.stripe.params import fields, metadata, text
from sandbox.stripe.resource import Filter, Resource, updater
from sandbox.stripe.resources import balance
from sandbox.stripe.world import World, public

AUTHORISED_SECONDS = 7 * 86_400
DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "expired_card": ("expired_card", "Your card has expired."),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


def create_charge(
    world: World, intent: Json, method: Json, *, decline: str | None = None, captured: bool = True
) -> Json:
    """One attempt on a card. A declined one captures nothing and says why; an uncaptured one only holds the money."""
    captured = captured and not decline
    code, message = DECLINES[decline] if decline else (None, None)
    amount = intent["amount"]
    charge = world.add(
        "charge",
        "ch",
        amount=amount,
        amount_captured=amount if captured else 0,
        amount_refunded=0,
        application=None,
        application_fee=None,
        application_fee_amount=None,
        balance_transaction=None,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="COUNTERFOIL DEMO",
        captured=captured,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_balance_transaction=None,
        failure_code=code,
        failure_message=message,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        on_behalf_of=None,
        outcome=_outcome(decline),
        paid=not decline,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": "card", "card": _card_details(method["card"], amount)},
        receipt_email=intent["receipt_email"],
        receipt_number=None,
        receipt_url=None,
        refunded=False,
        review=None,
        shipping=None,
        source_transfer=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="failed" if decline else "succeeded",
        transfer_data=None,
        transfer_group=None,
    )
    if captured:
        _book(world, charge)
    elif not decline:
        charge["payment_method_details"]["card"]["capture_before"] = world.now() + AUTHORISED_SECONDS
    world.emit("charge.failed" if decline else "charge.succeeded", charge)
    return charge


def _book(world: World, charge: Json) -> None:
    amount, code = charge["amount_captured"], charge["currency"]
    entry = balance.record(world, "charge", amount, code, charge["id"], fee=balance.processing_fee(amount, code))
    charge["balance_transaction"] = entry["id"]


def capture_charge(world: World, charge: Json, amount: int) -> None:
    """What is not captured is free again on the card."""
    before = public(charge)
    charge |= {"captured": True, "amount_captured": amount}
    _book(world, charge)
    world.emit("charge.captured", charge, before)


def release_charge(world: World, charge: Json, *, expired: bool = False) -> None:
    """The authorisation drops off: nothing was taken, so there is no refund of it either."""
    before = public(charge)
    charge |= {"refunded": True, "amount_refunded": charge["amount"]}
    world.emit("charge.expired" if expired else "charge.refunded", charge, before)


def _outcome(decline: str | None) -> Json:
    return {
        "advice_code": "try_again_later" if decline == "insufficient_funds" else None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank declined the payment." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def _card_details(card: Json, amount: int) -> Json:
    copied = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    details = {name: card[name] for name in copied}
    return details | {
        "amount_authorized": amount,
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "three_d_secure": None,
    }


def _refunds(world: World, charge: Json) -> Json:
    return pages.envelope(world.of("refund", "charge", charge["id"]), f"/v1/charges/{charge['id']}/refunds")


EDITABLE = fields(description=text(), metadata=metadata(), receipt_email=text())
CHARGES = Resource(
    kind="charge",
    path="/v1/charges",
    references={
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
    },
    included={"refunds": _refunds},
    filters={
        "customer": Filter(text(), kind="customer"),
        "payment_intent": Filter(text(), kind="payment_intent"),
        "transfer_group": Filter(text()),
    },
    search={
        "amount": "amount",
        "created": "created",
        "currency": "currency",
        "customer": "customer",
        "disputed": "disputed",
        "metadata": "metadata",
        "payment_method_details.card.brand": "payment_method_details.card.brand",
        "payment_method_details.card.fingerprint": "payment_method_details.card.fingerprint",
        "payment_method_details.card.last4": "payment_method_details.card.last4",
        "refunded": "refunded",
        "status": "status",
    },
    routes=(updater("charge", "/v1/charges", EDITABLE, event="charge.updated"),),
)
