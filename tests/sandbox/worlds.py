"""Worlds in the test's own process, for what needs the clock held or thousands of steps."""

from typing import Any

from sandbox.stripe.resources import catalog, customers, invoicing, payment_methods, subscribing
from sandbox.stripe.resources.lines import Item
from sandbox.stripe.world import World

Json = dict[str, Any]


def person(world: World, card: str = "pm_card_visa", **more: Any) -> Json:
    """A customer with this card as their default."""
    made = customers.create_customer(world, {"email": "new@example.com"} | more)
    method = payment_methods.card(world, card)
    payment_methods.attach(world, method, made)
    made["invoice_settings"]["default_payment_method"] = method["id"]
    return made


def monthly(world: World, amount: int, currency: str = "usd") -> Json:
    """A price of so much a month."""
    return catalog.create_price(world, catalog.create_product(world, "Desk"), amount, currency, interval="month")


def subscriber(world: World, price: Json, **more: Any) -> Json:
    """The subscription of somebody new, its first period billed."""
    return subscribing.create_subscription(world, person(world), [{"price": price}], **more)


def draft_of(world: World, *amounts: int, currency: str = "usd", **more: Any) -> Json:
    """A draft invoice of somebody new with a line of each amount."""
    now = world.now()
    items = [Item(description=f"Work {amount}", amount=amount, period=(now, now)) for amount in amounts]
    return invoicing.draft(world, person(world), currency, items, **more)
