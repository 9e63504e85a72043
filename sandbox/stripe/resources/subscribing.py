"""A subscription's life: the first invoice, renewals, changes with proration, and its end."""

from typing import Any

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import invoice_items, invoicing, paying
from sandbox.stripe.resources.lines import Item
from sandbox.stripe.resources.periods import add_intervals, day
from sandbox.stripe.world import World, public

DAY = 86_400


def create_subscription(
    world: World,
    customer: Json,
    wanted: list[Json],
    *,
    metadata: dict[str, str] | None = None,
    trial_days: int = 0,
    **more: Any,
) -> Json:
    """`wanted` items are `{"price": price, "quantity": n, "tax_rates": [...]}`. Bills the first period at once."""
    details: Json = {
        "cancel_at_period_end": False,
        "collection_method": "charge_automatically",
        "days_until_due": None,
        "default_payment_method": None,
        "description": None,
    }
    trial_end = world.now() + trial_days * DAY if trial_days else None
    subscription = world.add(
        "subscription",
        "sub",
        application=None,
        application_fee_percent=None,
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None},
        billing_cycle_anchor=trial_end or world.now(),
        billing_cycle_anchor_config=None,
        billing_mode={"flexible": None, "type": "classic"},
        billing_schedules=[],
        billing_thresholds=None,
        cancel_at=None,
        canceled_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        currency=wanted[0]["price"]["currency"],
        customer=customer["id"],
        default_source=None,
        default_tax_rates=[],
        discounts=[],
        ended_at=None,
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        items=None,
        latest_invoice=None,
        metadata=metadata or {},
        next_pending_invoice_item_invoice=None,
        on_behalf_of=None,
        pause_collection=None,
        payment_settings={"payment_method_options": None, "payment_method_types": None},
        pending_invoice_item_interval=None,
        pending_setup_intent=None,
        pending_update=None,
        schedule=None,
        start_date=world.now(),
        status="trialing" if trial_days else "active",
        test_clock=None,
        transfer_data=None,
        trial_end=trial_end,
        trial_settings={"end_behavior": {"missing_payment_method": "create_invoice"}},
        trial_start=world.now() if trial_days else None,
        _periods=0,
        **details | more,
    )
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = {"object": "list", "data": [], "has_more": False, "url": url}
    for each in wanted:
        add_item(world, subscription, each["price"], each.get("quantity", 1), each.get("tax_rates") or [])
    _set_period(world, subscription, *(_first_period(subscription, trial_end)))
    world.emit("customer.subscription.created", subscription)
    _bill(world, subscription, "subscription_create", _period_items(world, subscription))
    return subscription


def add_item(world: World, subscription: Json, price: Json, quantity: int, tax_rates: list[str]) -> Json:
    item = {
        "id": world.new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now(),
        "current_period_end": 0,
        "current_period_start": 0,
        "discounts": [],
        "metadata": {},
        "plan": _plan(price),
        "price": public(price),
        "quantity": quantity,
        "subscription": subscription["id"],
        "tax_rates": [public(world.get("tax_rate", rate, param="tax_rates")) for rate in tax_rates],
    }
    if subscription["items"]["data"]:
        item |= dict(zip(("current_period_start", "current_period_end"), period_of(subscription), strict=True))
    subscription["items"]["data"].append(item)
    return item


def set_price(item: Json, price: Json) -> None:
    item |= {"price": public(price), "plan": _plan(price)}


def _plan(price: Json) -> Json:
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def period_of(subscription: Json) -> tuple[int, int]:
    first = subscription["items"]["data"][0]
    return first["current_period_start"], first["current_period_end"]


def _first_period(subscription: Json, trial_end: int | None) -> tuple[int, int]:
    if trial_end:
        return subscription["start_date"], trial_end
    subscription["_periods"] = 1
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    return subscription["start_date"], add_intervals(subscription["start_date"], recurring, 1)


def _set_period(_world: World, subscription: Json, start: int, end: int) -> None:
    for item in subscription["items"]["data"]:
        item |= {"current_period_start": start, "current_period_end": end}


def renew(world: World, subscription: Json) -> None:
    """The period is over: bill the next one, or end what was to be cancelled."""
    if subscription["cancel_at_period_end"]:
        end(world, subscription)
        return
    before = public(subscription)
    start = period_of(subscription)[1]
    subscription["_periods"] += 1
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    next_end = add_intervals(subscription["billing_cycle_anchor"], recurring, subscription["_periods"])
    _set_period(world, subscription, start, next_end)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    _bill(world, subscription, "subscription_cycle", _period_items(world, subscription))
    world.emit("customer.subscription.updated", subscription, before)


def described(world: World, price: Json, quantity: int) -> str:
    product = world.get("product", price["product"])
    amount = money.shown(price["unit_amount"], price["currency"])
    return f"{quantity} × {product['name']} (at {amount} / {price['recurring']['interval']})"


def _period_items(world: World, subscription: Json) -> list[Item]:
    return [_period_item(world, subscription, item) for item in subscription["items"]["data"]]


def _period_item(world: World, subscription: Json, item: Json) -> Item:
    price, quantity = item["price"], item["quantity"]
    text = described(world, price, quantity)
    trial = subscription["status"] == "trialing"
    return Item(
        description=f"Trial period for {text}" if trial else text,
        amount=0 if trial else price["unit_amount"] * quantity,
        period=(item["current_period_start"], item["current_period_end"]),
        quantity=quantity,
        price=price,
        subscription=subscription["id"],
        subscription_item=item["id"],
        tax_rates=tuple(rate["id"] for rate in item["tax_rates"]),
    )


def _bill(world: World, subscription: Json, reason: str, items: list[Item]) -> Json:
    """Draft with pending items, finalise, and collect unless the invoice is to be sent."""
    customer = world.get("customer", subscription["customer"])
    sent = subscription["collection_method"] == "send_invoice"
    invoice = invoicing.draft(
        world,
        customer,
        subscription["currency"],
        items,
        subscription=subscription,
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        due_date=world.now() + (subscription["days_until_due"] or 0) * DAY if sent else None,
    )
    invoice_items.add_pending(world, invoice, subscription["id"])
    invoicing.finalize(world, invoice)
    subscription["latest_invoice"] = invoice["id"]
    if invoice["status"] == "open" and not sent:
        _collect(world, subscription, invoice, reason)
    return invoice


def _collect(world: World, subscription: Json, invoice: Json, reason: str) -> None:
    """A subscription outlives a declined card: it is incomplete or past due until somebody pays."""
    try:
        paying.pay(world, invoice)
    except StripeFailure:
        subscription["status"] = "incomplete" if reason == "subscription_create" else "past_due"


def paid(world: World, invoice: Json) -> None:
    """Paying the latest invoice brings the subscription back."""
    subscription = world.find("subscription", paying.subscription_of(invoice))
    if (
        subscription
        and subscription["status"] in {"past_due", "incomplete"}
        and subscription["latest_invoice"] == invoice["id"]
    ):
        before = public(subscription)
        subscription["status"] = "active"
        world.emit("customer.subscription.updated", subscription, before)


def prorate(world: World, subscription: Json, item: Json, *, sign: int) -> None:
    """A pending item for the rest of the period: -1 credits unused time, +1 charges remaining time."""
    start, finish = period_of(subscription)
    price, quantity, now = item["price"], item["quantity"], world.now()
    words = "Remaining" if sign > 0 else "Unused"
    prorated = Item(
        description=f"{words} time on {described(world, price, quantity)} after {day(now)}",
        amount=sign * money.share(price["unit_amount"] * quantity, max(0, finish - now), finish - start),
        period=(now, finish),
        quantity=quantity,
        price=price,
        proration=True,
        subscription=subscription["id"],
        subscription_item=item["id"],
        tax_rates=tuple(rate["id"] for rate in item["tax_rates"]),
    )
    customer = world.get("customer", subscription["customer"])
    invoice_items.create_item(world, customer, subscription["currency"], prorated)


def bill_pending(world: World, subscription: Json) -> None:
    if invoice_items.pending(world, subscription["customer"], subscription["currency"], subscription["id"]):
        _bill(world, subscription, "subscription_update", [])


def end(world: World, subscription: Json, reason: str = "cancellation_requested") -> Json:
    """Over now. What is paid stays paid, and what is open stays open."""
    now = world.now()
    subscription |= {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}
    world.emit("customer.subscription.deleted", subscription)
    return subscription
