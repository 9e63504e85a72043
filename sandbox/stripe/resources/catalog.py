"""Products, prices and tax rates: what is for sale, and what is added to it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure
from sandbox.stripe.params import (
    Field,
    Raw,
    choice,
    currency,
    fields,
    flag,
    group,
    integer,
    many,
    merged_metadata,
    metadata,
    text,
)
from sandbox.stripe.resource import Call, Filter, Resource, Route, updater
from sandbox.stripe.world import World

INTERVALS = ("day", "week", "month", "year")


def percentage() -> Field:
    def read(value: Raw, name: str) -> float:
        try:
            number = Decimal(str(value))
        except InvalidOperation as failure:
            raise ValidationFailure(f"Invalid decimal: {value}", param=name) from failure
        if not 0 <= number <= 100:
            raise ValidationFailure("Percentages lie between 0 and 100.", param=name)
        return float(number)

    return Field(read, required=True)


def create_product(world: World, name: str, **more: Any) -> Json:
    details: Json = {"description": None, "metadata": {}, "active": True, "unit_label": None} | more
    return world.add(
        "product",
        "prod",
        default_price=None,
        images=[],
        marketing_features=[],
        name=name,
        package_dimensions=None,
        shippable=None,
        statement_descriptor=None,
        tax_code=None,
        type="service",
        updated=world.now(),
        url=None,
        **details,
    )


def create_price(
    world: World,
    product: Json,
    unit_amount: int,
    currency: str,
    *,
    interval: str | None = None,
    interval_count: int = 1,
    **more: Any,
) -> Json:
    recurring = {
        "interval": interval,
        "interval_count": interval_count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    details: Json = {"lookup_key": None, "metadata": {}, "nickname": None, "tax_behavior": "unspecified"} | more
    return world.add(
        "price",
        "price",
        active=True,
        billing_scheme="per_unit",
        currency=currency,
        custom_unit_amount=None,
        product=product["id"],
        recurring=recurring if interval else None,
        tiers_mode=None,
        transform_quantity=None,
        type="recurring" if interval else "one_time",
        unit_amount=unit_amount,
        unit_amount_decimal=str(unit_amount),
        **details,
    )


def create_tax_rate(
    world: World, percentage: float, display_name: str, *, inclusive: bool = False, **more: Any
) -> Json:
    details: Json = {
        "country": None,
        "description": None,
        "jurisdiction": None,
        "metadata": {},
        "tax_type": None,
    } | more
    return world.add(
        "tax_rate",
        "txr",
        active=True,
        display_name=display_name,
        effective_percentage=percentage,
        flat_amount=None,
        inclusive=inclusive,
        jurisdiction_level=None,
        percentage=percentage,
        rate_type="percentage",
        state=None,
        **details,
    )


def _given(call: Call, *names: str) -> Json:
    given = {name: call.params[name] for name in names if call.params.get(name) is not None}
    return given | {"metadata": merged_metadata({}, call.params.get("metadata"))}


def _create_product(call: Call) -> Json:
    product = create_product(call.world, call.params["name"], **_given(call, "description", "active", "unit_label"))
    call.world.emit("product.created", product)
    return product


def _create_price(call: Call) -> Json:
    product = call.world.get("product", call.params["product"], param="product")
    if call.params["unit_amount"] < 0:
        raise StripeFailure("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    money.check_granularity(call.params["unit_amount"], call.params["currency"], "unit_amount")
    recurring = call.params.get("recurring") or {}
    more = _given(call, "nickname", "lookup_key", "tax_behavior")
    price = create_price(call.world, product, call.params["unit_amount"], call.params["currency"], **recurring, **more)
    call.world.emit("price.created", price)
    return price


def _create_tax_rate(call: Call) -> Json:
    more = _given(call, "country", "description", "jurisdiction")
    params = call.params
    return create_tax_rate(
        call.world, params["percentage"], params["display_name"], inclusive=params.get("inclusive", False), **more
    )


EDITABLE = fields(active=flag(), description=text(), metadata=metadata(), name=text(kept=True), unit_label=text())
PRODUCTS = Resource(
    kind="product",
    path="/v1/products",
    references={"default_price": "price"},
    filters={
        "active": Filter(flag()),
        "ids": Filter(many(text()), keep=lambda product, wanted: product["id"] in wanted),
    },
    routes=(
        Route("POST", "/v1/products", _create_product, EDITABLE | fields(name=text(required=True))),
        updater("product", "/v1/products", EDITABLE, event="product.updated"),
    ),
)
PRICES = Resource(
    kind="price",
    path="/v1/prices",
    references={"product": "product"},
    filters={
        "active": Filter(flag()),
        "currency": Filter(currency()),
        "product": Filter(text(), kind="product"),
        "type": Filter(choice("one_time", "recurring")),
    },
    routes=(
        Route(
            "POST",
            "/v1/prices",
            _create_price,
            fields(
                currency=currency(required=True),
                lookup_key=text(),
                metadata=metadata(),
                nickname=text(),
                product=text(required=True),
                recurring=group(interval=choice(*INTERVALS, required=True), interval_count=integer(least=1)),
                tax_behavior=choice("exclusive", "inclusive", "unspecified"),
                unit_amount=integer(required=True),
            ),
        ),
        updater(
            "price", "/v1/prices", fields(active=flag(), metadata=metadata(), nickname=text()), event="price.updated"
        ),
    ),
)
TAX_RATES = Resource(
    kind="tax_rate",
    path="/v1/tax_rates",
    filters={"active": Filter(flag()), "inclusive": Filter(flag())},
    routes=(
        Route(
            "POST",
            "/v1/tax_rates",
            _create_tax_rate,
            fields(
                country=text(),
                description=text(),
                display_name=text(required=True),
                inclusive=flag(),
                jurisdiction=text(),
                metadata=metadata(),
                percentage=percentage(),
            ),
        ),
        updater("tax_rate", "/v1/tax_rates", fields(active=flag(), display_name=text(kept=True), metadata=metadata())),
    ),
)
