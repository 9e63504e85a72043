"""Coupons at work: redeemed into discounts, taken off an invoice's lines, and over when their time is."""

from collections.abc import Iterable
from fractions import Fraction

from sandbox.stripe.errors import Json, StripeFailure, missing, no_such
from sandbox.stripe.money import share, step
from sandbox.stripe.params import group, many, text
from sandbox.stripe.resource import Call, Resource, Route
from sandbox.stripe.resources.coupons import is_valid
from sandbox.stripe.resources.lines import tax_on
from sandbox.stripe.resources.periods import add_months
from sandbox.stripe.world import World

DISCOUNTS_FIELD = many(group(coupon=text(), discount=text()))
TERMS = ("amount_off", "duration", "percent_off")


def checked(world: World, wanted: list[Json], currency: str, known: Iterable[str] = ()) -> list[Json]:
    """The coupons to redeem and the `known` discounts to keep, in order. Refuses before anything has changed."""
    chosen: list[Json] = []
    for place, each in enumerate(wanted):
        name = f"discounts[{place}]"
        found = _checked(world, each, name, currency, list(known))
        if found in chosen:
            raise StripeFailure("The same discount cannot be applied twice.", param=name)
        chosen.append(found)
    return chosen


def _checked(world: World, wanted: Json, name: str, currency: str, known: list[str]) -> Json:
    if identifier := wanted.get("discount"):
        if identifier not in known:
            raise no_such("discount", identifier, param=f"{name}[discount]", status=400)
        return world.get("discount", identifier)
    if not wanted.get("coupon"):
        raise missing(f"{name}[coupon]")
    param = f"{name}[coupon]"
    coupon = world.get("coupon", wanted["coupon"], param=param)
    if not is_valid(world, coupon):
        raise StripeFailure(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=param)
    if coupon["amount_off"] and coupon["currency"] != currency:
        message = f"The coupon takes off {coupon['currency'].upper()}, but this is in {currency.upper()}."
        raise StripeFailure(message, param=param)
    return coupon


def redeem(
    world: World,
    chosen: Iterable[Json],
    customer: str,
    *,
    invoice: str | None = None,
    subscription: str | None = None,
) -> list[str]:
    """Ids of the discounts: new ones for coupons, those that are given already stay."""
    return [
        each["id"] if each["object"] == "discount" else _redeem(world, each, customer, invoice, subscription)["id"]
        for each in chosen
    ]


def _redeem(world: World, coupon: Json, customer: str, invoice: str | None, subscription: str | None) -> Json:
    coupon["times_redeemed"] += 1
    months = coupon["duration_in_months"]
    discount = world.add(
        "discount",
        "di",
        checkout_session=None,
        customer=customer,
        end=add_months(world.now(), months) if months else None,
        invoice=invoice,
        invoice_item=None,
        promotion_code=None,
        source={"coupon": coupon["id"], "type": "coupon"},
        start=world.now(),
        subscription=subscription,
        subscription_item=None,
        # A coupon may be deleted; who has redeemed it keeps its terms.
        _terms={name: coupon[name] for name in TERMS},
    )
    del discount["created"], discount["livemode"]
    world.emit("customer.discount.created", discount)
    return discount


def running(world: World, subscription: Json) -> list[Json]:
    """The subscription's discounts whose months are not over."""
    known = (world.get("discount", each) for each in subscription["discounts"])
    return [each for each in known if each["end"] is None or each["end"] > world.now()]


def use(world: World, subscription: Json, invoice: Json) -> None:
    """After a period's invoice: one-time discounts that took something off are used up, and ended ones go."""
    subscription["_billed_discounts"] = list(invoice["discounts"])
    used = {each["discount"] for each in invoice["total_discount_amounts"] if each["amount"]}
    left = [
        each["id"]
        for each in running(world, subscription)
        if each["_terms"]["duration"] != "once" or each["id"] not in used
    ]
    replace(world, subscription, left)


def replace(world: World, subscription: Json, left: list[str]) -> None:
    gone = [each for each in subscription["discounts"] if each not in left]
    subscription["discounts"] = left
    for each in gone:
        world.emit("customer.discount.deleted", world.get("discount", each))


def discounted(world: World, subscription: Json, amount: int, *, billed: bool) -> int:
    """Part of a period's price after discounts: those it was billed with, or those that run now."""
    whole = sum(item["price"]["unit_amount"] * item["quantity"] for item in subscription["items"]["data"])
    given = [world.get("discount", each) for each in subscription.get("_billed_discounts", ())]
    left = whole
    for each in given if billed else running(world, subscription):
        left -= _off(each, left, subscription["currency"])
    return share(amount, left, whole, step(subscription["currency"])) if whole else amount


def _off(discount: Json, amount: int, currency: str) -> int:
    """What it takes off this amount, never more than all of it."""
    terms = discount["_terms"]
    if terms["percent_off"] is None:
        return min(int(terms["amount_off"]), amount)
    part = Fraction(str(terms["percent_off"])) / 100
    return share(amount, part.numerator, part.denominator, step(currency))


def apply(world: World, invoice: Json) -> None:
    """Spreads the invoice's discounts over its discountable lines, one after the other; tax is on what remains."""
    lines = [line for line in invoice["_lines"] if line["discountable"] and line["amount"] > 0]
    for line in invoice["_lines"]:
        line["discount_amounts"] = []
    totals = [_spread(world.get("discount", each), lines) for each in invoice["discounts"]]
    invoice |= {"total_discount_amounts": totals, "total_pretax_credit_amounts": _as_pretax(totals)}
    for line in invoice["_lines"]:
        line["pretax_credit_amounts"] = _as_pretax(line["discount_amounts"])
        rates = [world.get("tax_rate", tax["tax_rate_details"]["tax_rate"]) for tax in line["taxes"]]
        line["taxes"] = [tax_on(rate, net(line), invoice["currency"]) for rate in rates]


def _spread(discount: Json, lines: list[Json]) -> Json:
    """Shares of running totals, so that they add up to the unit."""
    amounts = [net(line) for line in lines]
    whole, before = sum(amounts), 0
    off = _off(discount, whole, lines[0]["currency"]) if lines else 0
    for line, amount in zip(lines, amounts, strict=True):
        unit = step(line["currency"])
        if part := share(off, before + amount, whole, unit) - share(off, before, whole, unit) if whole else 0:
            line["discount_amounts"].append({"amount": part, "discount": discount["id"]})
        before += amount
    return {"amount": off, "discount": discount["id"]}


def net(line: Json) -> int:
    """The line's amount after its discounts."""
    return int(line["amount"]) - sum(int(each["amount"]) for each in line["discount_amounts"])


def _as_pretax(amounts: list[Json]) -> list[Json]:
    return [each | {"type": "discount"} for each in amounts]


def _delete_of_subscription(call: Call) -> Json:
    subscription = call.world.get("subscription", call.id)
    if not subscription["discounts"]:
        raise StripeFailure("No active discount for subscription", status=404, code="resource_missing")
    latest = subscription["discounts"][-1]
    replace(call.world, subscription, subscription["discounts"][:-1])
    return {"id": latest, "object": "discount", "deleted": True}


def _delete_of_customer(call: Call) -> Json:
    """No parameter of this API version gives a customer a discount, so there is never one to delete."""
    customer = call.world.get("customer", call.id)
    raise StripeFailure(f"No active discount for customer: {customer['id']}", status=404, code="resource_missing")


DISCOUNTS = Resource(
    kind="discount",
    references={"customer": "customer", "source.coupon": "coupon"},
    routes=(
        Route("DELETE", "/v1/subscriptions/{id}/discount", _delete_of_subscription),
        Route("DELETE", "/v1/customers/{id}/discount", _delete_of_customer),
    ),
)
