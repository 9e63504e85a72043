"""Coupons: what may be taken off, how often and for how long. Redeeming one makes a discount."""

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure, missing
from sandbox.stripe.params import (
    Field,
    choice,
    currency,
    fields,
    integer,
    merged_metadata,
    metadata,
    text,
)
from sandbox.stripe.resource import Call, Resource, Route, updater
from sandbox.stripe.resources.catalog import percentage
from sandbox.stripe.world import World, public

KEPT = (
    "amount_off",
    "currency",
    "duration_in_months",
    "max_redemptions",
    "name",
    "percent_off",
    "redeem_by",
)


def create_coupon(
    world: World,
    *,
    identifier: str | None = None,
    duration: str = "once",
    metadata: Json | None = None,
    **terms: object,
) -> Json:
    """`terms` are Stripe's: percent_off, or amount_off with currency; duration_in_months; limits and a name."""
    coupon = world.add(
        "coupon",
        "coupon",
        id=identifier or world.new_id("coupon", 8).partition("_")[2],
        duration=duration,
        metadata=metadata or {},
        times_redeemed=0,
        **(dict.fromkeys(KEPT) | terms),
    )
    world.emit("coupon.created", coupon)
    return coupon


def is_valid(world: World, coupon: Json) -> bool:
    """Whether it can be redeemed once more, now."""
    in_time = coupon["redeem_by"] is None or world.now() <= coupon["redeem_by"]
    return in_time and (coupon["max_redemptions"] is None or coupon["times_redeemed"] < coupon["max_redemptions"])


def _show(world: World, coupon: Json) -> Json:
    return public(coupon) | {"valid": is_valid(world, coupon)}


def _create(call: Call) -> Json:
    params = call.params
    _check_terms(params)
    if call.world.find("coupon", params.get("id")):
        raise StripeFailure("Coupon already exists.", code="resource_already_exists", param="id")
    return create_coupon(
        call.world,
        identifier=params.get("id"),
        duration=params.get("duration") or "once",
        metadata=merged_metadata({}, params.get("metadata")),
        **{name: params[name] for name in KEPT if params.get(name) is not None},
    )


def _check_terms(params: Json) -> None:
    given = [name for name in ("amount_off", "percent_off") if params.get(name) is not None]
    if len(given) != 1:
        message = "You must give exactly one of percent_off and amount_off."
        raise ValidationFailure(
            message, code="parameters_exclusive" if given else "parameter_missing", param="percent_off"
        )
    if given == ["amount_off"] and not params.get("currency"):
        raise missing("currency")
    if given == ["amount_off"]:
        money.check_granularity(params["amount_off"], params["currency"], "amount_off")
    repeating = params.get("duration") == "repeating"
    if repeating and not params.get("duration_in_months"):
        raise missing("duration_in_months")
    if params.get("duration_in_months") and not repeating:
        message = "duration_in_months is only for coupons whose duration is repeating."
        raise ValidationFailure(message, param="duration_in_months")
    if params.get("percent_off") == 0:
        raise ValidationFailure("Invalid percent_off: must be greater than 0", param="percent_off")


def _delete(call: Call) -> Json:
    """Who has redeemed it keeps the discount; it cannot be redeemed again."""
    coupon = call.world.get("coupon", call.id)
    del call.world.objects["coupon"][call.id]
    call.world.emit("coupon.deleted", coupon)
    return {"id": call.id, "object": "coupon", "deleted": True}


COUPONS = Resource(
    kind="coupon",
    path="/v1/coupons",
    filters={},
    show=_show,
    routes=(
        Route(
            "POST",
            "/v1/coupons",
            _create,
            fields(
                amount_off=integer(least=1),
                currency=currency(),
                duration=choice("forever", "once", "repeating"),
                duration_in_months=integer(least=1),
                id=text(longest=200),
                max_redemptions=integer(least=1),
                metadata=metadata(),
                name=text(longest=40),
                percent_off=Field(percentage().read),
                redeem_by=integer(),
            ),
        ),
        updater("coupon", "/v1/coupons", fields(metadata=metadata(), name=text(longest=40)), event="coupon.updated"),
        Route("DELETE", "/v1/coupons/{id}", _delete),
    ),
)
