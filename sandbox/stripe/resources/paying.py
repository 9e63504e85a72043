"""Collecting an invoice, or giving up on it."""

from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import payment_intents, payment_records
from sandbox.stripe.resources.invoicing import (
    add_payment,
    cancel_open_payments,
    payments_of,
    settle_payment,
)
from sandbox.stripe.world import World, public

PAYABLE = ("open", "uncollectible")
RETRY_SECONDS = {1: 3 * 86_400, 2: 5 * 86_400, 3: 7 * 86_400}
"""Attempts made to the wait before the next one; after the last there is none."""


def pay(world: World, invoice: Json, method: Json | None = None, *, off_session: bool = True) -> Json:
    """Charges what remains to the given card, or to the default one. A decline is recorded and raised."""
    _check_payable(invoice)
    chosen = method or _default_method(world, invoice)
    payment = next(each for each in payments_of(world, invoice) if each["is_default"])
    intent = world.get("payment_intent", payment["payment"]["payment_intent"])
    payment["amount_requested"] = intent["amount"] = invoice["amount_remaining"]
    intent |= {"payment_method": chosen["id"], "status": "requires_confirmation"}
    invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    try:
        payment_intents.confirm(world, intent, off_session=off_session)
    except StripeFailure:
        payment_failed(world, invoice)
        raise
    if intent["status"] == "requires_action":
        world.emit("invoice.payment_action_required", invoice)
        message = "This payment requires additional user action before it can be completed successfully."
        raise StripeFailure(message, status=402, kind="card_error", code="invoice_payment_intent_requires_action")
    return invoice


def _check_payable(invoice: Json) -> None:
    if invoice["status"] == "paid":
        raise StripeFailure("Invoice is already paid")
    if invoice["status"] == "draft":
        raise StripeFailure("This invoice is a draft; finalize it before it can be paid.")
    if invoice["status"] not in PAYABLE:
        raise StripeFailure("Invoice can no longer be paid")


def _default_method(world: World, invoice: Json) -> Json:
    customer = world.get("customer", invoice["customer"])
    subscription = world.find("subscription", subscription_of(invoice)) or {}
    candidates = (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
    )
    chosen = next((found for each in candidates if (found := world.find("payment_method", each))), None)
    if chosen is None:
        message = (
            "This customer has no attached payment source or default payment method. Please consider adding a "
            "default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions."
        )
        raise StripeFailure(message, code="resource_missing")
    return chosen


def subscription_of(invoice: Json) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def payment_failed(world: World, invoice: Json) -> None:
    before = public(invoice)
    if invoice["auto_advance"]:
        wait = RETRY_SECONDS.get(invoice["attempt_count"])
        invoice["next_payment_attempt"] = wait and world.now() + wait
    world.emit("invoice.payment_failed", invoice, before)


def pay_out_of_band(world: World, invoice: Json) -> Json:
    """Paid outside Stripe: nothing that Stripe could refund."""
    _check_payable(invoice)
    remaining = invoice["amount_remaining"]
    cancel_open_payments(world, invoice)
    customer = {"customer": invoice["customer"], "email": None, "name": None, "phone": None}
    record = payment_records.report(world, remaining, invoice["currency"], customer_details=customer)
    return _count_record(world, invoice, record)


def attach_record(world: World, invoice: Json, record: Json) -> Json:
    """Counts money that was reported as received elsewhere."""
    if invoice["status"] not in PAYABLE:
        raise StripeFailure("Payments can only be attached to open or uncollectible invoices.")
    theirs = (record["customer_details"] or {}).get("customer") in {None, invoice["customer"]}
    got = record["amount_guaranteed"]
    if not got["value"] or got["currency"] != invoice["currency"] or not theirs:
        message = "The payment record must be guaranteed, in the invoice's currency, and of its customer."
        raise StripeFailure(message, param="payment_record")
    if world.of("invoice_payment", "payment.payment_record", record["id"]):
        message = "The payment record is already attached to an invoice."
        raise StripeFailure(message, param="payment_record")
    return _count_record(world, invoice, record)


def _count_record(world: World, invoice: Json, record: Json) -> Json:
    amount = record["amount_guaranteed"]["value"]
    payment = world.add(
        "invoice_payment",
        "inpay",
        amount_paid=None,
        amount_requested=amount,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=False,
        payment={"payment_record": record["id"], "type": "payment_record"},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    settle_payment(world, invoice, payment, amount)
    return invoice


def attach_payment(world: World, invoice: Json, intent: Json) -> Json:
    """Counts a PaymentIntent of the same customer and currency towards the invoice, now or once it succeeds."""
    if invoice["status"] not in PAYABLE:
        raise StripeFailure("Payments can only be attached to open or uncollectible invoices.")
    if intent["customer"] != invoice["customer"] or intent["currency"] != invoice["currency"]:
        message = "The PaymentIntent must have the invoice's customer and currency."
        raise StripeFailure(message, param="payment_intent")
    if world.of("invoice_payment", "payment.payment_intent", intent["id"]):
        message = "The PaymentIntent is already attached to an invoice."
        raise StripeFailure(message, param="payment_intent")
    payment = add_payment(world, invoice, intent, default=False)
    if intent["status"] == "succeeded":
        settle_payment(world, invoice, payment, intent["amount_received"])
    return invoice


def void(world: World, invoice: Json) -> Json:
    if invoice["status"] not in PAYABLE:
        raise StripeFailure("You can only void open or uncollectible invoices.")
    return _close(world, invoice, "void", "voided_at", "invoice.voided")


def mark_uncollectible(world: World, invoice: Json) -> Json:
    if invoice["status"] != "open":
        raise StripeFailure("You can only mark open invoices as uncollectible.")
    return _close(world, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def _close(world: World, invoice: Json, status: str, moment: str, event: str) -> Json:
    before = public(invoice)
    invoice |= {"status": status, "next_payment_attempt": None}
    invoice["status_transitions"] = invoice["status_transitions"] | {moment: world.now()}
    # An uncollectible invoice may still be paid, so its payment stays open.
    if status == "void":
        cancel_open_payments(world, invoice)
    world.emit(event, invoice, before)
    return invoice
