"""Invoice lines and the taxes on them."""

from dataclasses import dataclass, field
from fractions import Fraction

from sandbox.stripe import money
from sandbox.stripe.errors import Json
from sandbox.stripe.resource import Resource
from sandbox.stripe.world import World


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to be billed, before it is a line."""

    description: str
    amount: int
    period: tuple[int, int]
    quantity: int = 1
    price: Json | None = None
    proration: bool = False
    subscription: str | None = None
    subscription_item: str | None = None
    tax_rates: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    credited: Json | None = None


def make_line(world: World, invoice: Json, item: Item, invoice_item: str | None = None) -> Json:
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": item.amount,
        "currency": invoice["currency"],
        "description": item.description,
        "discount_amounts": [],
        "discountable": not item.proration,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": dict(item.metadata),
        "parent": _parent(item, invoice_item),
        "period": {"start": item.period[0], "end": item.period[1]},
        "pretax_credit_amounts": [],
        "pricing": pricing(item.price) if item.price else None,
        "quantity": item.quantity,
        "subscription": item.subscription,
        "subtotal": item.amount,
        "taxes": _taxes(world, item, invoice["currency"]),
    }


def pricing(price: Json) -> Json:
    details = {"price": price["id"], "product": price["product"]}
    return {"price_details": details, "type": "price_details", "unit_amount_decimal": price["unit_amount_decimal"]}


def _parent(item: Item, invoice_item: str | None) -> Json:
    common: Json = {"proration": item.proration, "proration_details": {"credited_items": item.credited}}
    common["subscription"] = item.subscription
    if invoice_item:
        return {"type": "invoice_item_details", "invoice_item_details": common | {"invoice_item": invoice_item}}
    details = common | {"invoice_item": None, "subscription_item": item.subscription_item}
    return {"type": "subscription_item_details", "subscription_item_details": details}


def _taxes(world: World, item: Item, currency: str) -> list[Json]:
    return [tax_on(world.get("tax_rate", rate), item.amount, currency) for rate in item.tax_rates]


def tax_on(rate: Json, amount: int, currency: str) -> Json:
    """Exclusive tax comes on top of the amount, inclusive tax is inside it."""
    part, step = Fraction(str(rate["percentage"])) / 100, money.step(currency)
    taxable = Fraction(amount) / (1 + part) if rate["inclusive"] else Fraction(amount)
    return {
        "amount": round(taxable * part / step) * step,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": round(taxable / step) * step,
        "type": "tax_rate_details",
    }


def total_taxes(lines: list[Json]) -> list[Json]:
    """The lines' taxes, added up by rate."""
    by_rate: dict[str, Json] = {}
    for tax in (tax for line in lines for tax in line["taxes"]):
        known = by_rate.setdefault(tax["tax_rate_details"]["tax_rate"], tax | {"amount": 0, "taxable_amount": 0})
        known["amount"] += tax["amount"]
        known["taxable_amount"] += tax["taxable_amount"]
    return list(by_rate.values())


LINE_ITEMS = Resource(
    kind="line_item",
    references={
        "discount_amounts.discount": "discount",
        "discounts": "discount",
        "pricing.price_details.price": "price",
        "subscription": "subscription",
    },
)
