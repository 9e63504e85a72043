"""The time that objects live in: the sandbox's own, or that of their customer's test clock."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sandbox.stripe.errors import Json
from sandbox.stripe.resource import Call
from sandbox.stripe.world import World

KIND = "test_helpers.test_clock"


@contextmanager
def frozen(world: World, moment: int) -> Iterator[None]:
    """It is this moment, and no later one is known: events of long ago are recorded as news."""
    offset = world.clock.offset
    world.clock.offset += moment - world.clock.present()
    try:
        with world.clock.at(moment):
            yield
    finally:
        world.clock.offset = offset


def on_time_of(world: World, call: Call) -> AbstractContextManager[None]:
    """The time in which this request happens: that of the first object on a test clock which it names."""
    on_clocks = (thing for thing in _named(world, call) if clock_of(world, thing))
    first = next(on_clocks, None)
    return time_of(world, first) if first else nullcontext()


def time_of(world: World, thing: Json) -> AbstractContextManager[None]:
    clock = world.find(KIND, clock_of(world, thing))
    return frozen(world, clock["frozen_time"]) if clock else nullcontext()


def _named(world: World, call: Call) -> Iterator[Json]:
    """Requests about a clock itself happen outside of it; those that put something on it, inside."""
    if not world.objects.get(KIND):
        return
    in_path = [each for each in call.ids.values() if each not in world.objects[KIND]]
    for identifier in (*in_path, *_strings(call.params)):
        yield from (things[identifier] for things in world.objects.values() if identifier in things)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def clock_of(world: World, thing: Json) -> str | None:
    """Objects of a customer live on the customer's clock; refunds and disputes find theirs by the charge."""
    if thing["object"] == KIND:
        return str(thing["id"])
    if thing.get("test_clock"):
        return str(thing["test_clock"])
    owner = thing
    if thing["object"] in {"refund", "dispute"}:
        owner = world.find("charge", thing["charge"]) or {}
    elif thing["object"] == "invoice_payment":
        owner = world.find("invoice", thing["invoice"]) or {}
    elif thing["object"] == "subscription_item":
        owner = world.find("subscription", thing["subscription"]) or {}
    customer = world.find("customer", owner.get("customer"))
    return customer["test_clock"] if customer else None
