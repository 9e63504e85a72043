"""Subscriptions as routes. The billing period lives on the items."""

from sandbox.stripe.errors import Json, StripeFailure, card_error, missing, no_such
from sandbox.stripe.params import choice, fields, flag, group, integer, many, merged_metadata, metadata, text
from sandbox.stripe.resource import Call, Filter, Resource, Route, assign
from sandbox.stripe.resources import changing, collecting, discounts, subscribing
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.resources.invoicing import payments_of
from sandbox.stripe.world import World, public

STATUSES = ("active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "trialing", "paused")
PAUSABLE = ("active", "past_due", "trialing", "unpaid")
PRORATION = choice("create_prorations", "always_invoice", "none")
FEEDBACK = choice(
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
WHY = group(comment=text(), feedback=FEEDBACK)
COLLECTION = choice("charge_automatically", "send_invoice")
PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description", "trial_settings")


def _create(call: Call) -> Json:
    world, params = call.world, call.params
    customer = live_customer(world, params["customer"])
    if not params["items"]:
        raise missing("items")
    wanted = changing.checked_items(world, params["items"])
    ends = params.get("trial_end")
    if isinstance(ends, int) and ends <= world.now():
        raise StripeFailure("Invalid trial_end: it must be a timestamp in the future.", param="trial_end")
    _check_method(world, params)
    reductions = discounts.checked(world, params.get("discounts") or [], wanted[0]["price"]["currency"])
    subscription = subscribing.create_subscription(
        world,
        customer,
        wanted,
        metadata=merged_metadata({}, params.get("metadata")),
        trial_days=params.get("trial_period_days", 0),
        trial_end=ends if isinstance(ends, int) else None,
        reductions=reductions,
        **{name: params[name] for name in PLAIN if params.get(name) is not None},
    )
    if params.get("cancel_at_period_end"):
        end = subscribing.period_of(subscription)[1]
        changing.schedule_end(world, subscription, end, at_period_end=True)
    return subscription


def _check_method(world: World, params: Json) -> None:
    if params.get("default_payment_method"):
        world.get("payment_method", params["default_payment_method"], param="default_payment_method")


def _update(call: Call) -> Json:
    _check_method(call.world, call.params)
    params = {name: value for name, value in call.params.items() if name != "payment_behavior"}
    if call.params.get("payment_behavior") == "error_if_incomplete":
        _check_paid(call, params)
    subscription = call.world.get("subscription", call.id)
    changing.change(call.world, subscription, params)
    return subscription


def _check_paid(call: Call, params: Json) -> None:
    """Rehearses the change: where its invoice stays unpaid, nothing has changed and nobody is told."""
    world = call.world
    with world.rehearsal():
        invoice = changing.change(world, world.get("subscription", call.id), params)
        if invoice and invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
            intents = [
                world.find("payment_intent", each["payment"]["payment_intent"]) for each in payments_of(world, invoice)
            ]
            said = next((intent["last_payment_error"] for intent in intents if intent), None) or {}
            message = said.get("message") or "This subscription could not be changed because its invoice was not paid."
            raise card_error(message, code=said.get("code") or "card_declined", decline_code=said.get("decline_code"))


def _cancel(call: Call) -> Json:
    world, params = call.world, call.params
    subscription = world.get("subscription", call.id)
    if subscription["status"] in collecting.ENDED:
        raise no_such("subscription", call.id)
    changing.cancel_now(
        world, subscription, prorate=params.get("prorate", False), invoice_now=params.get("invoice_now", False)
    )
    assign(subscription, {"cancellation_details": params.get("cancellation_details") or {}})
    return subscription


def _pause(call: Call) -> Json:
    """Stops invoices and periods until it is resumed; unused time is credited as asked."""
    world, params = call.world, call.params
    subscription = world.get("subscription", call.id)
    if subscription["status"] not in PAUSABLE:
        message = f"A subscription with the status {subscription['status']} cannot be paused."
        raise StripeFailure(message, param="id")
    before = public(subscription)
    unused = ((params.get("bill_for") or {}).get("unused_time_from") or {}).get("type") or "now"
    if unused != "none":
        at = world.now() if unused == "now" else subscribing.period_of(subscription)[0]
        for item in subscription["items"]["data"]:
            subscribing.prorate(world, subscription, item, sign=-1, at=at)
    if params.get("invoicing_behavior") == "invoice":
        subscribing.bill_pending(world, subscription)
    collecting.pause(world, subscription, "pause_requested", before)
    return subscription


def _resume(call: Call) -> Json:
    """From now a new period is billed (the default), or the rest of the old one is prorated."""
    world, params = call.world, call.params
    subscription = world.get("subscription", call.id)
    if subscription["status"] != "paused":
        message = f"Only a paused subscription can be resumed; this one is {subscription['status']}."
        raise StripeFailure(message, param="id")
    before = public(subscription)
    subscription |= {"status": "active", "status_details": None}
    anchor = (params.get("billing_cycle_anchor") or {}).get("type") or "now"
    if anchor == "now":
        subscribing.restart_period(world, subscription)
        lines = subscribing.period_items(world, subscription)
        subscribing.bill(world, subscription, "subscription_update", lines)
    else:
        _rejoin(world, subscription, params)
    world.emit("customer.subscription.resumed", subscription, before)
    return subscription


def _rejoin(world: World, subscription: Json, params: Json) -> None:
    """Back into the cycle that went on without it; periods that it slept through cost nothing."""
    subscribing.catch_up(world, subscription)
    behaviour = params.get("proration_behavior") or "create_prorations"
    if behaviour == "none":
        return
    for item in subscription["items"]["data"]:
        subscribing.prorate(world, subscription, item, sign=1, at=params.get("proration_date"))
    if behaviour == "always_invoice":
        subscribing.bill_pending(world, subscription)


def _hidden(subscription: Json, params: Json) -> bool:
    if subscription["test_clock"] and not (params.get("customer") or params.get("test_clock")):
        return True
    return params.get("status") is None and subscription["status"] == "canceled"


def _has_status(subscription: Json, wanted: str) -> bool:
    return wanted == "all" or subscription["status"] in (collecting.ENDED if wanted == "ended" else (wanted,))


def _has_price(subscription: Json, price: str) -> bool:
    return any(item["price"]["id"] == price for item in subscription["items"]["data"])


NEW_ITEM = group(price=text(required=True), quantity=integer(least=0), tax_rates=many(text()))
TRIAL_SETTINGS = group(
    end_behavior=group(missing_payment_method=choice("cancel", "create_invoice", "pause", required=True), required=True)
)
ANCHOR = group(type=choice("now", "unchanged", required=True))
EDITABLE = fields(
    cancel_at_period_end=flag(),
    cancellation_details=WHY,
    collection_method=COLLECTION,
    days_until_due=integer(least=0),
    default_payment_method=text(),
    description=text(),
    discounts=discounts.DISCOUNTS_FIELD,
    metadata=metadata(),
    proration_behavior=PRORATION,
    trial_end=changing.moment_or("now"),
    trial_settings=TRIAL_SETTINGS,
)
SUBSCRIPTIONS = Resource(
    kind="subscription",
    path="/v1/subscriptions",
    references={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "discounts": "discount",
        "latest_invoice": "invoice",
    },
    filters={
        "collection_method": Filter(COLLECTION),
        "customer": Filter(text(), kind="customer"),
        "price": Filter(text(), keep=_has_price, kind="price"),
        "status": Filter(choice(*STATUSES, "all", "ended"), keep=_has_status),
        "test_clock": Filter(text(), kind="test_helpers.test_clock"),
    },
    hidden=_hidden,
    search={name: name for name in ("created", "metadata", "status")},
    routes=(
        Route(
            "POST",
            "/v1/subscriptions",
            _create,
            {
                name: field
                for name, field in EDITABLE.items()
                if name not in {"cancellation_details", "proration_behavior"}
            }
            | fields(
                customer=text(required=True),
                items=many(NEW_ITEM, required=True),
                off_session=flag(),
                trial_period_days=integer(least=1, most=730),
            ),
        ),
        Route(
            "POST",
            "/v1/subscriptions/{id}",
            _update,
            EDITABLE
            | fields(
                billing_cycle_anchor=ANCHOR,
                cancel_at=changing.moment_or(*changing.END_OF_PERIOD, "max_billed_until"),
                items=many(changing.CHANGED_ITEM),
                off_session=flag(),
                payment_behavior=choice("allow_incomplete", "error_if_incomplete"),
                pause_collection=group(
                    behavior=choice("keep_as_draft", "mark_uncollectible", "void", required=True), resumes_at=integer()
                ),
                proration_date=integer(),
            ),
        ),
        Route(
            "POST",
            "/v1/subscriptions/{id}/pause",
            _pause,
            fields(
                bill_for=group(
                    outstanding_usage_through=group(type=choice("none", "now", required=True)),
                    unused_time_from=group(type=choice("item_current_period_start", "none", "now", required=True)),
                ),
                invoicing_behavior=choice("invoice", "pending_invoice_item"),
                type=choice("subscription"),
            ),
        ),
        Route(
            "POST",
            "/v1/subscriptions/{id}/resume",
            _resume,
            fields(
                billing_cycle_anchor=ANCHOR,
                payment_behavior=choice("resume_on_payment_attempt"),
                proration_behavior=PRORATION,
                proration_date=integer(),
            ),
        ),
        Route(
            "DELETE",
            "/v1/subscriptions/{id}",
            _cancel,
            fields(cancellation_details=WHY, invoice_now=flag(), prorate=flag()),
        ),
    ),
)
