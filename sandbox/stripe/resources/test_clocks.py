"""Test clocks: customers who live on a time of their own, which only `advance` moves."""

from sandbox.stripe import timeline
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.params import fields, integer, text
from sandbox.stripe.resource import Call, Resource, Route
from sandbox.stripe.resources import customers
from sandbox.stripe.resources.frozen import KIND

DELETED_AFTER_SECONDS = 30 * 86_400
MOST_SECONDS = 2 * 366 * 86_400


def _create(call: Call) -> Json:
    moment = call.params["frozen_time"]
    clock = call.world.add(
        KIND,
        "clock",
        deletes_after=call.world.now() + DELETED_AFTER_SECONDS,
        frozen_time=moment,
        name=call.params.get("name"),
        status="ready",
        status_details={},
    )
    call.world.emit("test_helpers.test_clock.created", clock)
    return clock


def _advance(call: Call) -> Json:
    """Everything that falls due on this clock happens before the answer, so it is `ready` at once."""
    world, wanted = call.world, call.params["frozen_time"]
    clock = world.get(KIND, call.id)
    if wanted <= clock["frozen_time"]:
        message = "The new frozen_time must be after the test clock's current frozen time."
        raise StripeFailure(message, param="frozen_time")
    if wanted > clock["frozen_time"] + MOST_SECONDS:
        raise StripeFailure("A test clock cannot be advanced by more than two years at once.", param="frozen_time")
    target = {"advancing": {"target_frozen_time": wanted}}
    clock |= {"status": "advancing", "status_details": target, "frozen_time": wanted}
    world.emit("test_helpers.test_clock.advancing", clock)
    timeline.run_due(world, clock)
    clock |= {"status": "ready", "status_details": {}}
    world.emit("test_helpers.test_clock.ready", clock)
    return clock


def _delete(call: Call) -> Json:
    world = call.world
    clock = world.get(KIND, call.id)
    for customer in world.of("customer", "test_clock", clock["id"]):
        if not customer.get("deleted"):
            customers.delete_customer(world, customer)
    del world.objects[KIND][clock["id"]]
    world.emit("test_helpers.test_clock.deleted", clock)
    return {"id": clock["id"], "object": KIND, "deleted": True}


TEST_CLOCKS = Resource(
    kind=KIND,
    path="/v1/test_helpers/test_clocks",
    dated=False,
    filters={},
    routes=(
        Route(
            "POST",
            "/v1/test_helpers/test_clocks",
            _create,
            fields(frozen_time=integer(required=True, least=0), name=text(longest=300)),
        ),
        Route(
            "POST", "/v1/test_helpers/test_clocks/{id}/advance", _advance, fields(frozen_time=integer(required=True))
        ),
        Route("DELETE", "/v1/test_helpers/test_clocks/{id}", _delete),
    ),
)
