"""A subscription's life: the first invoice, renewals, changes with proration, and its end."""

from typing import Any

from sandbox.stripe import money
from sandbox.stripe.errors import Json
from sandbox.stripe.resources import collecting, discounts, invoice_items, invoicing
from sandbox.stripe.resources.lines import Item
from sandbox.stripe.resources.periods import add_intervals, day
from sandbox.stripe.world import World, public

DAY = 86_400
DRAFT_SECONDS = 3600


def create_subscription(
    world: World,
    customer: Json,
    wanted: list[Json],
    *,
    metadata: dict[str, str] | None = None,
    trial_days: int = 0,
    trial_end: int | None = None,
    reductions: list[Json] | None = None,
    **more: Any,
) -> Json:
    """`wanted` items are `{"price": price, "quantity": n, "tax_rates": [...]}`. Bills the first period at once.

    `reductions` are coupons to redeem.
    """
    subscription = start_subscription(
        world,
        customer,
        wanted,
        metadata=metadata,
        trial_end=trial_end or _trial_end(world, trial_days),
        reductions=reductions,
        **more,
    )
    world.emit("customer.subscription.created", subscription)
    bill(world, subscription, "subscription_create", period_items(world, subscription))
    return subscription


def _trial_end(world: World, trial_days: int) -> int | None:
    return world.now() + trial_days * DAY if trial_days else None


def start_subscription(
    world: World,
    customer: Json,
    wanted: list[Json],
    *,
    metadata: dict[str, str] | None = None,
    trial_end: int | None = None,
    reductions: list[Json] | None = None,
    **more: Any,
) -> Json:
    """The subscription in its first period, before anything has been billed."""
    details: Json = {
        "cancel_at_period_end": False,
        "collection_method": "charge_automatically",
        "days_until_due": None,
        "default_payment_method": None,
        "description": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }
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
        status="trialing" if trial_end else "active",
        test_clock=customer["test_clock"],
        transfer_data=None,
        trial_end=trial_end,
        trial_start=world.now() if trial_end else None,
        _periods=0,
        _trial_set=world.now(),
        **details | more,
    )
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = {"object": "list", "data": [], "has_more": False, "url": url}
    subscription["discounts"] = discounts.redeem(
        world, reductions or [], customer["id"], subscription=subscription["id"]
    )
    for each in wanted:
        add_item(world, subscription, each["price"], each.get("quantity", 1), each.get("tax_rates") or [])
    set_period(subscription, *(_first_period(subscription, trial_end)))
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
    items: list[Json] = subscription["items"]["data"]
    items.append(item)
    # What was put in was copied: this is the one to change.
    return items[-1]


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


def set_period(subscription: Json, start: int, end: int) -> None:
    for item in subscription["items"]["data"]:
        item |= {"current_period_start": start, "current_period_end": end}


def restart_period(world: World, subscription: Json) -> None:
    """A full period from now on; later ones are counted from here."""
    now = world.now()
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    subscription |= {"billing_cycle_anchor": now, "_periods": 1}
    set_period(subscription, now, add_intervals(now, recurring, 1))


def renew(world: World, subscription: Json, *, drafted: bool = False) -> Json | None:
    """The period is over: bill the next one, or end what was to be cancelled.

    `drafted` leaves the invoice as the draft that Stripe finalises an hour later.
    """
    if subscription["cancel_at_period_end"]:
        return end_with_rest(world, subscription, drafted=drafted)
    before = public(subscription)
    if subscription["status"] == "trialing" and not _survives_trial(world, subscription, before):
        return None
    _next_period(subscription)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = bill(world, subscription, "subscription_cycle", period_items(world, subscription), drafted=drafted)
    world.emit("customer.subscription.updated", subscription, before)
    return invoice


def _next_period(subscription: Json) -> None:
    start = period_of(subscription)[1]
    subscription["_periods"] += 1
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    set_period(
        subscription, start, add_intervals(subscription["billing_cycle_anchor"], recurring, subscription["_periods"])
    )


def catch_up(world: World, subscription: Json) -> None:
    """On to the period that runs now; those in between are not billed."""
    while period_of(subscription)[1] <= world.now():
        _next_period(subscription)


def _survives_trial(world: World, subscription: Json, before: Json) -> bool:
    """What `trial_settings` says of a trial that ends with no card to charge."""
    behaviour = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behaviour == "create_invoice" or _has_method(world, subscription):
        return True
    if behaviour == "cancel":
        collecting.end(world, subscription)
    else:
        collecting.pause(world, subscription, "trial_end_without_payment_method", before)
    return False


def _has_method(world: World, subscription: Json) -> bool:
    customer = world.get("customer", subscription["customer"])
    return bool(subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"])


def described(world: World, price: Json, quantity: int) -> str:
    product = world.get("product", price["product"])
    amount = money.shown(price["unit_amount"], price["currency"])
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    return f"{quantity} × {product['name']} (at {amount} / {interval if count == 1 else f'every {count} {interval}s'})"


def period_items(world: World, subscription: Json) -> list[Item]:
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


def bill(world: World, subscription: Json, reason: str, items: list[Item], *, drafted: bool = False) -> Json:
    """Draft with pending items; then finalise and collect, unless it is to stay a draft."""
    customer = world.get("customer", subscription["customer"])
    sent = subscription["collection_method"] == "send_invoice"
    held = subscription["status"] == "unpaid" or collecting.paused_behaviour(subscription) == "keep_as_draft"
    invoice = invoicing.draft(
        world,
        customer,
        subscription["currency"],
        items,
        subscription=subscription,
        billing_reason=reason,
        auto_advance=not held,
        reductions=discounts.running(world, subscription),
        collection_method=subscription["collection_method"],
        due_date=world.now() + (subscription["days_until_due"] or 0) * DAY if sent else None,
    )
    invoice_items.add_pending(world, invoice, subscription["id"])
    if items:
        discounts.use(world, subscription, invoice)
    subscription["latest_invoice"] = invoice["id"]
    if drafted and not held:
        invoice["automatically_finalizes_at"] = world.now() + DRAFT_SECONDS
    elif not held:
        collecting.finish(world, invoice)
    return invoice


def prorate(world: World, subscription: Json, item: Json, *, sign: int, at: int | None = None) -> None:
    """A pending item for the rest of the period: -1 credits unused time, +1 charges remaining time.

    `at` is the moment from which it counts, now unless given. A trial costs nothing, so nothing is prorated.
    """
    if subscription["status"] == "trialing":
        return
    start, finish = period_of(subscription)
    price, quantity, now = item["price"], item["quantity"], world.now() if at is None else at
    words = "Remaining" if sign > 0 else "Unused"
    step = money.step(subscription["currency"])
    full = money.share(price["unit_amount"] * quantity, max(0, finish - now), finish - start, step)
    prorated = Item(
        description=f"{words} time on {described(world, price, quantity)} after {day(now)}",
        amount=sign * discounts.discounted(world, subscription, full, billed=sign < 0),
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


def bill_pending(
    world: World, subscription: Json, reason: str = "subscription_update", *, drafted: bool = False
) -> Json | None:
    if invoice_items.pending(world, subscription["customer"], subscription["currency"], subscription["id"]):
        return bill(world, subscription, reason, [], drafted=drafted)
    return None


def end_with_rest(world: World, subscription: Json, *, drafted: bool = False) -> Json | None:
    """The scheduled end: what is pending comes on a last invoice. Before the period is over, its rest is credited."""
    if subscription.get("_prorates_end") and world.now() < period_of(subscription)[1]:
        for item in subscription["items"]["data"]:
            prorate(world, subscription, item, sign=-1)
    # Ended first: an ended subscription's invoices are no longer collected, and this last one should be.
    collecting.end(world, subscription)
    return bill_pending(world, subscription, "subscription_cycle", drafted=drafted)


def drop_prorations(world: World, subscription: Json) -> None:
    """Forgets the prorations that wait for an invoice which will never come."""
    waiting = invoice_items.pending(world, subscription["customer"], subscription["currency"], subscription["id"])
    for each in waiting:
        if each["proration"]:
            del world.objects["invoiceitem"][each["id"]]
