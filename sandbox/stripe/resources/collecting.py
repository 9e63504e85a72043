"""What becomes of a subscription when its invoices are paid or not, when it is paused, and when it ends."""

from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import invoicing, paying
from sandbox.stripe.world import World, public

ENDED = ("canceled", "incomplete_expired")


def paused_behaviour(subscription: Json) -> str | None:
    return (subscription["pause_collection"] or {}).get("behavior")


def finish(world: World, invoice: Json) -> None:
    """Finalise, then collect; or what a pause of the collection says instead."""
    subscription = world.find("subscription", paying.subscription_of(invoice)) or {"pause_collection": None}
    behaviour = paused_behaviour(subscription)
    if behaviour == "keep_as_draft":
        invoice |= {"auto_advance": False, "automatically_finalizes_at": None}
        return
    invoicing.finalize(world, invoice)
    if invoice["status"] != "open":
        return
    if behaviour:
        {"void": paying.void, "mark_uncollectible": paying.mark_uncollectible}[behaviour](world, invoice)
    elif invoice["collection_method"] == "charge_automatically":
        collect(world, invoice)


def collect(world: World, invoice: Json) -> None:
    """A subscription outlives a declined card: it is incomplete or past due until somebody pays."""
    try:
        paying.pay(world, invoice)
    except StripeFailure:
        mark_unpaid(world, invoice)


def mark_unpaid(world: World, invoice: Json) -> None:
    """The subscription's latest invoice was not paid when it should have been."""
    subscription = world.find("subscription", paying.subscription_of(invoice))
    if not subscription or subscription["latest_invoice"] != invoice["id"]:
        return
    before = public(subscription)
    first = invoice["billing_reason"] == "subscription_create" and invoice["collection_method"] != "send_invoice"
    if subscription["status"] in {"active", "trialing"}:
        subscription["status"] = "incomplete" if first else "past_due"
        world.emit("customer.subscription.updated", subscription, before)
    if first:
        # Nobody retries a first payment: it is made within a day, or the subscription expires.
        invoice["next_payment_attempt"] = None


def paid(world: World, invoice: Json) -> None:
    """Paying the latest invoice brings the subscription back, and clears the customer's name."""
    customer = world.find("customer", invoice["customer"])
    if customer and customer["delinquent"]:
        before = public(customer)
        customer["delinquent"] = False
        world.emit("customer.updated", customer, before)
    subscription = world.find("subscription", paying.subscription_of(invoice))
    if (
        subscription
        and subscription["status"] in {"past_due", "incomplete", "unpaid"}
        and subscription["latest_invoice"] == invoice["id"]
    ):
        before = public(subscription)
        subscription["status"] = "active"
        world.emit("customer.subscription.updated", subscription, before)


def pause(world: World, subscription: Json, reason: str, before: Json) -> None:
    """No more invoices and no new periods until it is resumed."""
    kind = "subscription"
    paused = {"subscription": {"type": reason}, "transitioned_at": world.now(), "type": kind}
    subscription |= {"status": "paused", "status_details": {"paused": paused}}
    world.emit("customer.subscription.paused", subscription, before)


def end(world: World, subscription: Json, reason: str = "cancellation_requested") -> Json:
    """Over now. What is paid stays paid; what is open stays open, but nobody collects it by themselves."""
    now = world.now()
    subscription |= {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}
    for invoice in world.of("invoice", "customer", subscription["customer"]):
        if paying.subscription_of(invoice) == subscription["id"]:
            _leave_alone(invoice)
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def _leave_alone(invoice: Json) -> None:
    if invoice["status"] in {"draft", "open"}:
        invoice |= {"auto_advance": False, "next_payment_attempt": None}


def leave(world: World, customer: Json) -> None:
    """The customer is deleted: their subscriptions end, and nobody charges them by themselves any more."""
    for subscription in world.of("subscription", "customer", customer["id"]):
        if subscription["status"] not in ENDED:
            end(world, subscription)
    for invoice in world.of("invoice", "customer", customer["id"]):
        _leave_alone(invoice)
