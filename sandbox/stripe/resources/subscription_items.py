"""Subscription items as routes. They live inside their subscription; changing one is changing that."""

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, StripeFailure, no_such
from sandbox.stripe.params import choice, fields, flag, integer, many, metadata, text
from sandbox.stripe.resource import PAGE_FIELDS, Call, Resource, Route
from sandbox.stripe.resources import changing
from sandbox.stripe.world import World

CHANGE = ("price", "quantity", "metadata", "tax_rates")
HOW = ("proration_behavior", "proration_date")


def _find(world: World, identifier: str) -> tuple[Json, Json]:
    """The subscription and its item."""
    for subscription in world.objects.get("subscription", {}).values():
        for item in subscription["items"]["data"]:
            if item["id"] == identifier:
                return subscription, item
    raise no_such("subscription_item", identifier)


def _retrieve(call: Call) -> Json:
    return _find(call.world, call.id)[1]


def _list(call: Call) -> Json:
    subscription = call.world.get("subscription", call.params["subscription"], param="subscription")
    items = subscription["items"]["data"]
    return pages.page(items, call.params, lambda _item: True, call.path, "subscription_item")


def _create(call: Call) -> Json:
    subscription = call.world.get("subscription", call.params["subscription"], param="subscription")
    _change(call, subscription, {"quantity": 1} | _chosen(call))
    added: Json = subscription["items"]["data"][-1]
    return added


def _update(call: Call) -> Json:
    subscription, item = _find(call.world, call.id)
    _change(call, subscription, {"id": item["id"]} | _chosen(call))
    return item


def _delete(call: Call) -> Json:
    subscription, item = _find(call.world, call.id)
    _change(call, subscription, {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def _chosen(call: Call) -> Json:
    return {name: call.params[name] for name in CHANGE if name in call.params}


def _change(call: Call, subscription: Json, wanted: Json) -> None:
    how = {name: call.params[name] for name in HOW if name in call.params}
    try:
        changing.change(call.world, subscription, how | {"items": [wanted]})
    except StripeFailure as failure:
        # Here the item's own parameters are at the top: `items[0][price]` is called `price`.
        failure.param = failure.param and failure.param.removeprefix("items[0][").removesuffix("]")
        raise


PRORATING = fields(
    proration_behavior=choice("create_prorations", "always_invoice", "none"),
    proration_date=integer(),
)
EDITABLE = PRORATING | fields(metadata=metadata(), price=text(), quantity=integer(least=0), tax_rates=many(text()))
SUBSCRIPTION_ITEMS = Resource(
    kind="subscription_item",
    path="/v1/subscription_items",
    routes=(
        Route("GET", "/v1/subscription_items", _list, PAGE_FIELDS | fields(subscription=text(required=True))),
        Route("GET", "/v1/subscription_items/{id}", _retrieve),
        Route(
            "POST",
            "/v1/subscription_items",
            _create,
            EDITABLE | fields(price=text(required=True), subscription=text(required=True)),
        ),
        Route("POST", "/v1/subscription_items/{id}", _update, EDITABLE | fields(off_session=flag())),
        Route("DELETE", "/v1/subscription_items/{id}", _delete, PRORATING),
    ),
)
