"""Subscriptions as routes. The billing period lives on the items."""

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, StripeFailure, missing, no_such
from sandbox.stripe.params import choice, fields, flag, group, integer, many, merged_metadata, metadata, text
from sandbox.stripe.resource import PAGE_FIELDS, Call, Filter, Resource, Route, assign
from sandbox.stripe.resources import subscribing
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.world import World, public

STATUSES = ("active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "trialing", "paused")
ENDED = ("canceled", "incomplete_expired")
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
AFTER_CANCELLATION = {"metadata", "cancellation_details"}
PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description")


def _create(call: Call) -> Json:
    world, params = call.world, call.params
    customer = live_customer(world, params["customer"])
    if not params["items"]:
        raise missing("items")
    wanted = _checked_items(world, params["items"])
    _check_method(world, params)
    subscription = subscribing.create_subscription(
        world,
        customer,
        wanted,
        metadata=merged_metadata({}, params.get("metadata")),
        trial_days=params.get("trial_period_days", 0),
        **{name: params[name] for name in PLAIN if params.get(name) is not None},
    )
    if params.get("cancel_at_period_end"):
        _schedule_end(world, subscription, at_period_end=True)
    return subscription


def _check_method(world: World, params: Json) -> None:
    if params.get("default_payment_method"):
        world.get("payment_method", params["default_payment_method"], param="default_payment_method")


def _update(call: Call) -> Json:
    world, params = call.world, call.params
    subscription = world.get("subscription", call.id)
    if subscription["status"] in ENDED and params.keys() - AFTER_CANCELLATION:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise StripeFailure(message, code="invalid_canceled_subscription_fields")
    _check_method(world, params)
    before = public(subscription)
    behaviour = params.get("proration_behavior") or "create_prorations"
    changes = _checked_items(world, params.get("items") or [], subscription)
    for change in changes:
        _change_item(world, subscription, change, prorated=behaviour != "none")
    assign(subscription, {name: value for name, value in params.items() if name not in {"items", "cancel_at"}})
    if "cancel_at_period_end" in params:
        _schedule_end(world, subscription, at_period_end=params["cancel_at_period_end"])
    if "cancel_at" in params:
        subscription |= {"cancel_at": params["cancel_at"], "canceled_at": world.now()}
    if behaviour == "always_invoice":
        subscribing.bill_pending(world, subscription)
    world.emit("customer.subscription.updated", subscription, before)
    return subscription


def _schedule_end(world: World, subscription: Json, *, at_period_end: bool) -> None:
    """Asking twice keeps the first moment of asking; asking back forgets it."""
    asked = subscription["canceled_at"] or world.now()
    subscription |= {
        "cancel_at_period_end": at_period_end,
        "cancel_at": subscribing.period_of(subscription)[1] if at_period_end else None,
        "canceled_at": asked if at_period_end else None,
    }
    reason = "cancellation_requested" if at_period_end else None
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}


def _checked_items(world: World, wanted: list[Json], subscription: Json | None = None) -> list[Json]:
    """The items with their prices in place of the ids. Refuses before anything has changed."""
    items = [_checked_item(world, each, f"items[{place}]", subscription) for place, each in enumerate(wanted)]
    currencies = {each["price"]["currency"] for each in items if each.get("price")}
    currencies |= {subscription["currency"]} if subscription else set()
    if len(currencies) > 1:
        raise StripeFailure("All prices on a subscription must use the same currency.", param="items")
    if subscription and len(subscription["items"]["data"]) <= sum(each.get("deleted", False) for each in items):
        message = "A subscription must have at least one active plan."
        raise StripeFailure(message, param="items[0][deleted]")
    return items


def _checked_item(world: World, wanted: Json, name: str, subscription: Json | None) -> Json:
    known = [each["id"] for each in subscription["items"]["data"]] if subscription else []
    if wanted.get("id") and wanted["id"] not in known:
        raise no_such("subscription_item", wanted["id"], param=f"{name}[id]", status=400)
    if not wanted.get("id") and not wanted.get("price"):
        raise missing(f"{name}[price]")
    for rate in wanted.get("tax_rates") or ():
        world.get("tax_rate", rate, param=f"{name}[tax_rates]")
    if not wanted.get("price"):
        return wanted
    price = world.get("price", wanted["price"], param=f"{name}[price]")
    if price["recurring"] is None:
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."
        )
        raise StripeFailure(message, param=f"{name}[price]")
    return wanted | {"price": price}


def _change_item(world: World, subscription: Json, change: Json, *, prorated: bool) -> None:
    items = subscription["items"]["data"]
    item = next((each for each in items if each["id"] == change.get("id")), None)
    if item and prorated:
        subscribing.prorate(world, subscription, item, sign=-1)
    if item and change.get("deleted"):
        items.remove(item)
        return
    price: Json = change.get("price") or {}
    if item is None:
        quantity, tax_rates = change.get("quantity", 1), change.get("tax_rates") or []
        item = subscribing.add_item(world, subscription, price, quantity, tax_rates)
    elif price:
        subscribing.set_price(item, price)
    item["quantity"] = change.get("quantity", item["quantity"])
    if prorated:
        subscribing.prorate(world, subscription, item, sign=1)


def _cancel(call: Call) -> Json:
    world, params = call.world, call.params
    subscription = world.get("subscription", call.id)
    if subscription["status"] in ENDED:
        raise no_such("subscription", call.id)
    if params.get("prorate"):
        for item in subscription["items"]["data"]:
            subscribing.prorate(world, subscription, item, sign=-1)
    if params.get("invoice_now"):
        subscribing.bill_pending(world, subscription)
    assign(subscription, {"cancellation_details": params.get("cancellation_details") or {}})
    return subscribing.end(world, subscription)


def _items(call: Call) -> Json:
    subscription = call.world.get("subscription", call.params["subscription"], param="subscription")
    items = subscription["items"]["data"]
    return pages.page(items, call.params, lambda _item: True, call.path, "subscription_item")


def _hidden(subscription: Json, params: Json) -> bool:
    wanted = params.get("status")
    return wanted is None and subscription["status"] == "canceled"


def _has_status(subscription: Json, wanted: str) -> bool:
    return wanted == "all" or subscription["status"] in (ENDED if wanted == "ended" else (wanted,))


def _has_price(subscription: Json, price: str) -> bool:
    return any(item["price"]["id"] == price for item in subscription["items"]["data"])


NEW_ITEM = group(price=text(required=True), quantity=integer(least=0), tax_rates=many(text()))
CHANGED_ITEM = group(id=text(), deleted=flag(), price=text(), quantity=integer(least=0), tax_rates=many(text()))
EDITABLE = fields(
    cancel_at_period_end=flag(),
    cancellation_details=WHY,
    collection_method=COLLECTION,
    days_until_due=integer(least=0),
    default_payment_method=text(),
    description=text(),
    metadata=metadata(),
    proration_behavior=PRORATION,
)
SUBSCRIPTIONS = Resource(
    kind="subscription",
    path="/v1/subscriptions",
    references={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "latest_invoice": "invoice",
    },
    filters={
        "collection_method": Filter(COLLECTION),
        "customer": Filter(text(), kind="customer"),
        "price": Filter(text(), keep=_has_price, kind="price"),
        "status": Filter(choice(*STATUSES, "all", "ended"), keep=_has_status),
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
                cancel_at=integer(),
                items=many(CHANGED_ITEM),
                off_session=flag(),
                pause_collection=group(
                    behavior=choice("keep_as_draft", "mark_uncollectible", "void", required=True), resumes_at=integer()
                ),
            ),
        ),
        Route("GET", "/v1/subscription_items", _items, PAGE_FIELDS | fields(subscription=text(required=True))),
        Route(
            "DELETE",
            "/v1/subscriptions/{id}",
            _cancel,
            fields(cancellation_details=WHY, invoice_now=flag(), prorate=flag()),
        ),
    ),
)
