"""The invoice that would come: the real code in a rehearsal. Nothing is kept and nothing is told."""

from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.params import choice, currency, fields, flag, group, integer, many, text
from sandbox.stripe.resource import Call, Route
from sandbox.stripe.resources import changing, collecting, discounts, frozen, invoice_items, invoicing, subscribing
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.resources.lines import Item
from sandbox.stripe.tracked import plain
from sandbox.stripe.world import World


def preview(world: World, params: Json) -> Json:
    """The draft as it would be. Raises `invoice_upcoming_none` when nothing more would be billed."""
    with world.rehearsal():
        invoice: Json | None = plain(_bill(world, params))
    if invoice is None or not invoice["_lines"]:
        owner = params.get("customer") or params.get("subscription")
        message = f"No upcoming invoices for customer: {owner}"
        raise StripeFailure(message, status=404, code="invoice_upcoming_none")
    return invoice | {
        "id": f"upcoming_{invoice['id']}",
        "automatically_finalizes_at": None,
        "next_payment_attempt": _attempt(invoice),
        "_preview": True,
    }


def _attempt(invoice: Json) -> int | None:
    automatic = invoice["collection_method"] == "charge_automatically" and invoice["auto_advance"]
    return invoice["created"] + subscribing.DRAFT_SECONDS if automatic else None


def _customer_of(world: World, params: Json) -> Json:
    if params.get("subscription"):
        subscription = world.get("subscription", params["subscription"], param="subscription")
        if params.get("customer") not in {None, subscription["customer"]}:
            message = f"The subscription {subscription['id']} does not belong to the customer {params['customer']}."
            raise StripeFailure(message, param="customer")
        return live_customer(world, subscription["customer"])
    if params.get("customer"):
        return live_customer(world, params["customer"])
    message = "You must provide a customer or a subscription to preview an invoice."
    raise StripeFailure(message, code="parameter_missing", param="customer")


def _bill(world: World, params: Json) -> Json | None:
    details = params.get("subscription_details") or {}
    if "discounts" in params:
        details = details | {"discounts": params["discounts"]}
    owner = _customer_of(world, params)
    subscription = world.find("subscription", params.get("subscription"))
    _add_items(world, owner, params.get("invoice_items") or [])
    if subscription:
        return _changed(world, subscription, details)
    if details.get("items"):
        return _started(world, owner, details)
    following = _next_to_renew(world, owner)
    return _renewed(world, following) if following else _pending(world, owner, params.get("currency"))


def _add_items(world: World, customer: Json, wanted: list[Json]) -> None:
    for place, each in enumerate(wanted):
        name = f"invoice_items[{place}][price]"
        price = world.get("price", each["price"], param=name) if each.get("price") else None
        if (price is None) == ("amount" not in each):
            raise StripeFailure("An invoice item needs exactly one of amount and price.", param=name)
        quantity = each.get("quantity", 1)
        now = world.now()
        item = Item(
            description=each.get("description") or "Invoice item",
            amount=price["unit_amount"] * quantity if price else each["amount"],
            period=(now, now),
            quantity=quantity,
            price=price,
        )
        code = price["currency"] if price else each.get("currency") or customer["currency"] or "usd"
        invoice_items.create_item(world, customer, code, item)


def _changed(world: World, subscription: Json, details: Json) -> Json | None:
    """What the change bills at once, or else what comes at the end of the period after it."""
    if subscription["status"] in collecting.ENDED:
        return None
    prorated = details.get("proration_behavior") != "none"
    if details.get("cancel_now"):
        return changing.cancel_now(
            world,
            subscription,
            prorate=prorated,
            invoice_now=True,
            at=details.get("proration_date"),
            drafted=True,
        )
    change = {name: details[name] for name in CHANGES if name in details}
    at_once = changing.change(world, subscription, change, drafted=True) if change else None
    return at_once or _renewed(world, subscription)


def _started(world: World, customer: Json, details: Json) -> Json:
    """The first invoice of a subscription that does not exist yet."""
    wanted = changing.checked_items(world, details["items"])
    ends = details.get("trial_end")
    trial_end = ends if isinstance(ends, int) else None
    reductions = discounts.checked(world, details.get("discounts") or [], wanted[0]["price"]["currency"])
    subscription = subscribing.start_subscription(world, customer, wanted, trial_end=trial_end, reductions=reductions)
    lines = subscribing.period_items(world, subscription)
    return subscribing.bill(world, subscription, "subscription_create", lines, drafted=True)


def _next_to_renew(world: World, customer: Json) -> Json | None:
    theirs = world.of("subscription", "customer", customer["id"])
    running = [each for each in theirs if each["status"] in RENEWING and each["cancel_at"] is None]
    return min(running, key=lambda each: subscribing.period_of(each)[1], default=None)


def _renewed(world: World, subscription: Json) -> Json | None:
    if subscription["status"] not in RENEWING:
        return None
    end, cancelled = subscribing.period_of(subscription)[1], subscription["cancel_at"]
    if cancelled is not None and cancelled <= end:
        with frozen.frozen(world, cancelled):
            return subscribing.end_with_rest(world, subscription, drafted=True)
    with frozen.frozen(world, end):
        return subscribing.renew(world, subscription, drafted=True)


def _pending(world: World, customer: Json, code: str | None) -> Json | None:
    """Only items that wait, and no subscription whose invoice would take them along."""
    chosen = code or customer["currency"] or "usd"
    if not invoice_items.pending(world, customer["id"], chosen):
        return None
    invoice = invoicing.draft(world, customer, chosen)
    invoice_items.add_pending(world, invoice)
    return invoice


def _create(call: Call) -> Json:
    return preview(call.world, call.params)


CHANGES = (
    "billing_cycle_anchor",
    "cancel_at",
    "cancel_at_period_end",
    "discounts",
    "items",
    "proration_behavior",
    "proration_date",
    "trial_end",
)
RENEWING = ("active", "past_due", "trialing", "unpaid")
DETAILS = group(
    billing_cycle_anchor=group(type=choice("now", "unchanged", required=True)),
    cancel_at=changing.moment_or(*changing.END_OF_PERIOD),
    cancel_at_period_end=flag(),
    cancel_now=flag(),
    items=many(changing.CHANGED_ITEM),
    proration_behavior=choice("create_prorations", "always_invoice", "none"),
    proration_date=integer(),
    trial_end=changing.moment_or("now"),
)
ITEM = group(
    amount=integer(),
    currency=currency(),
    description=text(),
    price=text(),
    quantity=integer(least=0),
)
CREATE_PREVIEW = Route(
    "POST",
    "/v1/invoices/create_preview",
    _create,
    fields(
        currency=currency(),
        customer=text(),
        discounts=discounts.DISCOUNTS_FIELD,
        invoice_items=many(ITEM),
        preview_mode=choice("next"),
        subscription=text(),
        subscription_details=DETAILS,
    ),
)
