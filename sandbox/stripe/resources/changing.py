"""Changes of a subscription: items with proration, the billing cycle, trials, and a scheduled end."""

from sandbox.stripe.errors import Json, StripeFailure, missing, no_such
from sandbox.stripe.params import Field, Raw, choice, flag, group, integer, many, text
from sandbox.stripe.resource import assign
from sandbox.stripe.resources import collecting, discounts, subscribing
from sandbox.stripe.resources.collecting import ENDED
from sandbox.stripe.world import World, public

AFTER_CANCELLATION = {"metadata", "cancellation_details"}
OWN_RULES = {"items", "cancel_at", "trial_end", "billing_cycle_anchor", "cancel_at_period_end", "discounts"}
END_OF_PERIOD = ("min_period_end", "max_period_end")
CHANGED_ITEM = group(id=text(), deleted=flag(), price=text(), quantity=integer(least=0), tax_rates=many(text()))


def moment_or(*words: str) -> Field:
    """A moment, or one of the words; empty is None."""

    def read(value: Raw, name: str) -> int | str | None:
        if value == "" or value in words:
            return choice(*words).read(value, name)  # type: ignore[no-any-return]
        return integer().read(value, name)  # type: ignore[no-any-return]

    return Field(read)


def change(world: World, subscription: Json, params: Json, *, drafted: bool = False) -> Json | None:
    """Applies an update as `POST /v1/subscriptions/{id}` takes it; gives the invoice that it caused, if any.

    Everything is checked before anything is changed.
    """
    _check_open(subscription, params)
    items = checked_items(world, params.get("items") or [], subscription)
    at = _proration_moment(world, subscription, params)
    _check_moments(world, params)
    reductions = discounts.checked(
        world, params.get("discounts") or [], subscription["currency"], subscription["discounts"]
    )
    before = public(subscription)
    if "discounts" in params:
        kept = discounts.redeem(world, reductions, subscription["customer"], subscription=subscription["id"])
        discounts.replace(world, subscription, kept)
    behaviour = params.get("proration_behavior") or "create_prorations"
    credited = at if behaviour != "none" else None
    if _restarts(subscription, items, params):
        invoice = _restart(world, subscription, items, params, credited, drafted=drafted)
    else:
        for each in items:
            change_item(world, subscription, each, at=credited)
        invoice = None
        if behaviour == "always_invoice":
            invoice = subscribing.bill_pending(world, subscription, drafted=drafted)
    _schedule(world, subscription, params, prorated=behaviour != "none")
    assign(subscription, {name: value for name, value in params.items() if name not in OWN_RULES})
    world.emit("customer.subscription.updated", subscription, before)
    return invoice


def _check_open(subscription: Json, params: Json) -> None:
    if subscription["status"] in ENDED and params.keys() - AFTER_CANCELLATION:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise StripeFailure(message, code="invalid_canceled_subscription_fields")
    if "cancel_at_period_end" in params and params.get("cancel_at"):
        message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end."
        raise StripeFailure(message, code="parameters_exclusive", param="cancel_at")


def _proration_moment(world: World, subscription: Json, params: Json) -> int:
    wanted: int | None = params.get("proration_date")
    start, end = subscribing.period_of(subscription)
    if wanted is not None and not start <= wanted <= end:
        message = "Invalid proration_date: it must lie within the current billing period."
        raise StripeFailure(message, param="proration_date")
    return world.now() if wanted is None else wanted


def _check_moments(world: World, params: Json) -> None:
    for name in ("cancel_at", "trial_end"):
        if isinstance(params.get(name), int) and params[name] <= world.now():
            raise StripeFailure(f"Invalid {name}: it must be a timestamp in the future.", param=name)


def _restarts(subscription: Json, items: list[Json], params: Json) -> bool:
    """Another interval, a new anchor and a moved trial begin a new period now."""
    old = _interval(subscription["items"]["data"][0]["price"])
    moved = any(each.get("price") and _interval(each["price"]) != old for each in items)
    anchored = (params.get("billing_cycle_anchor") or {}).get("type") == "now"
    trial_end = params.get("trial_end")
    return moved or anchored or isinstance(trial_end, int) or bool(trial_end and subscription["status"] == "trialing")


def _interval(price: Json) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _restart(
    world: World, subscription: Json, items: list[Json], params: Json, credited: int | None, *, drafted: bool
) -> Json | None:
    if credited is not None:
        for item in subscription["items"]["data"]:
            subscribing.prorate(world, subscription, item, sign=-1, at=credited)
    for each in items:
        change_item(world, subscription, each, at=None)
    trial_end = params.get("trial_end")
    if isinstance(trial_end, int) or (subscription["status"] == "trialing" and not trial_end):
        _move_trial(world, subscription, trial_end or subscription["trial_end"])
        return None
    if subscription["status"] == "trialing":
        subscription |= {"trial_end": world.now(), "status": "active"}
    subscribing.restart_period(world, subscription)
    lines = subscribing.period_items(world, subscription)
    return subscribing.bill(world, subscription, "subscription_update", lines, drafted=drafted)


def _move_trial(world: World, subscription: Json, trial_end: int) -> None:
    subscription |= {
        "status": "trialing",
        "trial_end": trial_end,
        "trial_start": subscription["trial_start"] or world.now(),
        "billing_cycle_anchor": trial_end,
        "_periods": 0,
        "_trial_set": world.now(),
    }
    subscribing.set_period(subscription, world.now(), trial_end)


def _schedule(world: World, subscription: Json, params: Json, *, prorated: bool) -> None:
    if "cancel_at_period_end" in params:
        if not params["cancel_at_period_end"] and not subscription["cancel_at_period_end"]:
            # Nothing changes. Whether Stripe forgets a dated end here is not documented; this is the harder case.
            return
        end = subscribing.period_of(subscription)[1] if params["cancel_at_period_end"] else None
        schedule_end(world, subscription, end, at_period_end=params["cancel_at_period_end"])
    elif "cancel_at" in params:
        wanted = params["cancel_at"]
        end = subscribing.period_of(subscription)[1] if wanted in END_OF_PERIOD else wanted
        schedule_end(world, subscription, end, at_period_end=False)
        subscription["_prorates_end"] = prorated and end is not None


def schedule_end(world: World, subscription: Json, end: int | None, *, at_period_end: bool) -> None:
    """Asking twice keeps the first moment of asking; asking back (no end) forgets it."""
    asked = subscription["canceled_at"] or world.now()
    subscription |= {
        "cancel_at_period_end": at_period_end,
        "cancel_at": end,
        "canceled_at": asked if end else None,
        "_prorates_end": False,
    }
    reason = "cancellation_requested" if end else None
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}


def cancel_now(
    world: World, subscription: Json, *, prorate: bool, invoice_now: bool, at: int | None = None, drafted: bool = False
) -> Json | None:
    """Unused time becomes credit, never cash. Without either flag, prorations that wait are dropped."""
    invoice = None
    if prorate:
        for item in subscription["items"]["data"]:
            subscribing.prorate(world, subscription, item, sign=-1, at=at)
    if invoice_now:
        invoice = subscribing.bill_pending(world, subscription, drafted=drafted)
    if not prorate and not invoice_now:
        subscribing.drop_prorations(world, subscription)
    collecting.end(world, subscription)
    return invoice


def checked_items(world: World, wanted: list[Json], subscription: Json | None = None) -> list[Json]:
    """The items with their prices in place of the ids. Refuses before anything has changed."""
    items = [_checked_item(world, each, f"items[{place}]", subscription) for place, each in enumerate(wanted)]
    currencies = {each["price"]["currency"] for each in items if each.get("price")}
    currencies |= {subscription["currency"]} if subscription else set()
    if len(currencies) > 1:
        raise StripeFailure("All prices on a subscription must use the same currency.", param="items")
    if subscription and len(subscription["items"]["data"]) <= sum(each.get("deleted", False) for each in items):
        message = "A subscription must have at least one active plan."
        raise StripeFailure(message, param="items[0][deleted]")
    if len({_interval(price) for price in _prices_after(items, subscription)}) > 1:
        message = "Currently, all items on a subscription must have the same billing interval."
        raise StripeFailure(message, param="items")
    return items


def _prices_after(items: list[Json], subscription: Json | None) -> list[Json]:
    kept = subscription["items"]["data"] if subscription else []
    touched = {each["id"] for each in items if each.get("id") and (each.get("price") or each.get("deleted"))}
    prices = [each["price"] for each in kept if each["id"] not in touched]
    return prices + [each["price"] for each in items if each.get("price") and not each.get("deleted")]


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


def change_item(world: World, subscription: Json, wanted: Json, *, at: int | None) -> Json:
    """Adds, changes or removes one item; `at` is the moment from which it is prorated, None for not at all."""
    items = subscription["items"]["data"]
    item: Json | None = next((each for each in items if each["id"] == wanted.get("id")), None)
    if item and at is not None and wanted.keys() & {"price", "quantity", "deleted", "tax_rates"}:
        subscribing.prorate(world, subscription, item, sign=-1, at=at)
    if item and wanted.get("deleted"):
        items.remove(item)
        return item
    price: Json = wanted.get("price") or {}
    if item is None:
        quantity, tax_rates = wanted.get("quantity", 1), wanted.get("tax_rates") or []
        item = subscribing.add_item(world, subscription, price, quantity, tax_rates)
    elif price:
        subscribing.set_price(item, price)
    assign(item, {name: wanted[name] for name in ("quantity", "metadata") if name in wanted})
    if "tax_rates" in wanted:
        item["tax_rates"] = [public(world.get("tax_rate", rate)) for rate in wanted["tax_rates"]]
    if at is not None and (wanted.keys() & {"price", "quantity", "tax_rates"}):
        subscribing.prorate(world, subscription, item, sign=1, at=at)
    return item
