"""Requests that nobody would write: every one is answered or refused, none breaks the sandbox."""

import random
from typing import Any

import httpx
import pytest

from sandbox.mail import Inbox
from sandbox.seed import SEEDS
from sandbox.stripe.app import create_app
from sandbox.stripe.resource import Route
from sandbox.stripe.resources import REGISTRY, RESOURCES, new_world
from sandbox.stripe.world import Clock, World
from tests.sandbox.shapes import misfits

WORDS = ["", "0", "1", "-5", "500", "99999999999", "true", "usd", "jpy", "x", "all", "open", "2.5", "é'", "none"]
CHOSEN = ["send_invoice", "always_invoice", "void", "month", "card", "duplicate", "pm_card_visa", "1795080600"]
PATHS = ["customer", "data.customer", "payments", "latest_invoice.payments", "a.b", "data.object", "charge.refunds"]
REQUESTS = 700
NOW = 1_800_000_000


class Monkey:
    """Fills a route's declared parameters with ids that exist, mostly, and with words that fit, rarely."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.kinds = {resource.path: resource.kind for resource in RESOURCES}

    def id_of(self, kind: str | None) -> str:
        known = list(self.world.objects.get(kind or "", ()))
        return self.random.choice(known) if known and self.random.random() < 0.95 else "none"

    def address(self, route: Route) -> str:
        kind = self.kinds.get(route.path.partition("/{")[0])
        transaction = self.id_of("customer_balance_transaction")
        return route.path.replace("{id}", self.id_of(kind)).replace("{transaction}", transaction)

    def form(self, route: Route) -> dict[str, str]:
        wanted = [name for name, field in route.fields.items() if field.required or self.random.random() < 0.35]
        form = dict(pair for name in wanted for pair in self.values(name))
        return form | ({"expand[]": self.random.choice(PATHS)} if self.random.random() < 0.2 else {})

    def values(self, name: str) -> list[tuple[str, str]]:
        word = self.random.choice([*WORDS, *CHOSEN])
        match name:
            case "items":
                item = self.world.find("subscription", self.id_of("subscription"))
                known = [("items[0][id]", item["items"]["data"][0]["id"])] if item else []
                return [("items[0][price]", self.id_of("price")), ("items[0][quantity]", word), *known]
            case "lines":
                invoice = self.world.find("invoice", self.id_of("invoice"))
                known = (
                    [("lines[0][invoice_line_item]", invoice["_lines"][0]["id"])]
                    if invoice and invoice["_lines"]
                    else []
                )
                own = [("lines[0][description]", word), ("lines[0][unit_amount]", "700")]
                kind = self.random.choice(["invoice_line_item", "custom_line_item"])
                chosen = [*known, ("lines[0][amount]", "300")] if kind == "invoice_line_item" else own
                return [("lines[0][type]", kind), *chosen]
            case "discounts":
                return [("discounts[0][coupon]", self.id_of("coupon"))]
            case "percent_off" | "duration_in_months":
                return [(name, self.random.choice(["0", "3", "100"]))]
            case "refunds":
                return [("refunds[0][refund]", self.id_of("refund"))]
            case "amount" | "refund_amount" | "credit_amount":
                return [(name, self.random.choice(["500", "2500", "0", "-10"]))]
            case "metadata" | "created" | "pricing" | "invoice_settings":
                inner = {"created": "gte", "pricing": "price", "invoice_settings": "default_payment_method"}
                key = inner.get(name, "key")
                return [(f"{name}[{key}]", self.id_of(key) if name == "pricing" else word)]
            case _:
                kind = name.removeprefix("default_")
                return [(name, self.id_of(kind) if kind in self.world.objects else word)]


def left_by(world: World, point: str) -> list[Any]:
    """The objects that are not as they were at this point, and the ids taken since."""
    snapshot = world.snapshots[point]
    things = [key for key, before in snapshot.before.items() if world.find(*key) != (before.thing if before else None)]
    return things + [number for number in (world.counter - snapshot.counter,) if number]


@pytest.mark.parametrize("seed", range(3))
async def test_no_request_breaks_the_sandbox_and_its_objects_keep_their_shape(seed: int) -> None:
    """And of a refused one nothing is left, unless a bank declined."""
    world = new_world(clock=Clock(wall=lambda: NOW))
    SEEDS["demo"](world)
    monkey = Monkey(world, seed)
    app: Any = create_app(world, Inbox(), SEEDS)
    headers = {"Authorization": "Bearer sk_test_monkey"}
    statuses = set()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://localhost", headers=headers
    ) as http:
        for _ in range(REQUESTS):
            route = monkey.random.choice(REGISTRY.routes())
            world.remember("before")
            body = {"data" if route.method == "POST" else "params": monkey.form(route)}
            answer = await http.request(route.method, monkey.address(route), **body)  # type: ignore[arg-type]
            assert answer.status_code < 500, (route.method, route.path, body, answer.text)
            statuses.add(answer.status_code)
            if answer.status_code in {400, 404}:
                assert [] == left_by(world, "before"), (route.method, route.path, body, answer.text)
    assert {200, 400, 404} <= statuses
    kinds = [resource.kind for resource in RESOURCES]
    # Every kind's latest: the seed's own objects have their test.
    shown = [REGISTRY.show(world, thing) for kind in kinds for thing in world.all(kind)[:30]]
    assert [] == [line for thing in shown if not thing.get("deleted") for line in misfits(thing)]
