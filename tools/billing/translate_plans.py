"""From Stripe's JSON to subscriptions. Prices are decimals there, as fractions of a cent are allowed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from tools.billing.powers import Price
from tools.billing.translate import Json, clean, entries, identifier, moment, signed
from tools.billing.types import Subscription, SubscriptionItem
from tools.money import Money


def products_of(raw: Json) -> tuple[str, ...]:
    """Ids of the products in a subscription, in the order of its items."""
    products = (identifier(item["price"].get("product")) for item in entries(raw["items"]))
    return tuple(product for product in products if product)


def names_in(raw: Json) -> dict[str, str]:
    """Product names by id, of a subscription whose products were expanded."""
    products = (item["price"].get("product") for item in entries(raw["items"]))
    return {product["id"]: product["name"] for product in products if isinstance(product, dict)}


def subscription_of(raw: Json, names: Mapping[str, str]) -> Subscription:
    """`names` of products by id. Usage-based and tiered items have no price beforehand and count as 0."""
    items = entries(raw["items"])
    first = items[0]
    recurring = first["price"].get("recurring") or {}
    paused = raw.get("pause_collection") or {}
    return Subscription(
        id=raw["id"],
        status=raw["status"],
        plan=" + ".join(clean(names.get(product)) or "Plan" for product in products_of(raw)) or "Plan",
        price=Money(sum(map(_price_of_item, items)), raw["currency"]),
        interval=recurring.get("interval") or "month",
        interval_count=recurring.get("interval_count") or 1,
        quantity=first.get("quantity") or 1,
        period_start=moment(first["current_period_start"]),
        period_end=moment(first["current_period_end"]),
        cancel_at_period_end=raw["cancel_at_period_end"],
        items=tuple(_item_of(item, names) for item in items),
        trial_end=_when(raw.get("trial_end")),
        paused=bool(paused) or raw["status"] == "paused",
        resumes_at=_when(paused.get("resumes_at")),
        cancel_at=_when(raw.get("cancel_at")),
        canceled_at=_when(raw.get("canceled_at")),
        ended_at=_when(raw.get("ended_at")),
        discount=_coupons(raw.get("discounts") or ()),
        payment_method=identifier(raw.get("default_payment_method")),
        action_id=(raw.get("metadata") or {}).get("action_id"),
        actions=signed(raw),
    )


def price_of(raw: Json) -> Price | None:
    """None for what has no price of one unit (usage, tiers, packs, fractions of a cent), and for what was withdrawn."""
    product, recurring = raw["product"], raw.get("recurring") or {}
    sold = isinstance(product, Mapping) and product.get("active", True) and not product.get("deleted")
    priced = raw.get("unit_amount") is not None and not raw.get("transform_quantity")
    if not sold or not priced or recurring.get("usage_type") == "metered":
        return None
    return Price(
        id=raw["id"],
        product=product["id"],
        name=clean(product.get("name")) or "Plan",
        amount=Money(raw["unit_amount"], raw["currency"]),
        interval=recurring["interval"],
        interval_count=recurring.get("interval_count") or 1,
    )


def _item_of(raw: Json, names: Mapping[str, str]) -> SubscriptionItem:
    price = raw["price"]
    product = identifier(price.get("product")) or ""
    known = price.get("unit_amount_decimal") is not None or price.get("unit_amount") is not None
    return SubscriptionItem(
        id=raw["id"],
        price=price["id"],
        product=product,
        name=clean(names.get(product)) or "Plan",
        unit=Money(_price_of_item({"price": price}), price["currency"]) if known else None,
        quantity=raw.get("quantity") or 1,
    )


def _price_of_item(item: Json) -> int:
    price = item["price"]
    unit = price.get("unit_amount_decimal") or price.get("unit_amount") or 0
    total = Decimal(str(unit)) * (item.get("quantity") or 1)
    return int(total.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _coupons(discounts: Iterable[Json | str]) -> str | None:
    """Discounts and their coupons are ids unless they were expanded."""
    coupons = [(each.get("source") or {}).get("coupon") for each in discounts if isinstance(each, Mapping)]
    names = [clean(coupon.get("name")) or coupon["id"] for coupon in coupons if isinstance(coupon, Mapping)]
    return ", ".join(names) or None


def _when(seconds: int | None) -> datetime | None:
    return moment(seconds) if seconds else None
