"""Builds the past by doing it: every step runs Stripe's own rules with the clock held at its moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.errors import Json
from sandbox.stripe.resources import (
    catalog,
    customers,
    invoice_items,
    invoicing,
    paying,
    payment_intents,
    payment_methods,
    refunds,
    subscribing,
)
from sandbox.stripe.resources.lines import Item
from sandbox.stripe.world import World

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Gardener:
    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.now()
        self.products: dict[str, Json] = {}

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        with self.world.clock.at(moment):
            yield

    def days_ago(self, days: float, hour: int = 9, minute: int = 30) -> int:
        """That day at that time, UTC; never later than an hour ago."""
        day = datetime.fromtimestamp(self.now - int(days * DAY), UTC)
        moment = int(day.replace(hour=hour, minute=minute, second=0).timestamp())
        return min(moment, self.now - HOUR)

    def this_month(self, days: int) -> int:
        """So many days ago, or as many as the current month allows."""
        today = datetime.fromtimestamp(self.now, UTC).day
        return self.days_ago(min(days, today - 1))

    def customer(self, name: str, email: str, *, card: str | None = "pm_card_visa", **more: Any) -> Json:
        person = customers.create_customer(self.world, {"name": name, "email": email, **more})
        if card:
            method = payment_methods.card(self.world, card, name=name, email=email)
            payment_methods.attach(self.world, method, person)
            person["invoice_settings"]["default_payment_method"] = method["id"]
        return person

    def price(self, product: str, amount: int, currency: str = "usd", interval: str = "month") -> Json:
        if product not in self.products:
            self.products[product] = catalog.create_product(self.world, product)
        return catalog.create_price(self.world, self.products[product], amount, currency, interval=interval)

    def subscribe(self, person: Json, price: Json, quantity: int = 1, **more: Any) -> Json:
        wanted = [{"price": price, "quantity": quantity, "tax_rates": more.pop("tax_rates", [])}]
        return subscribing.create_subscription(self.world, person, wanted, **more)

    def renew_until_now(self, subscription: Json) -> None:
        """Bills every period that has begun by now."""
        while (moment := subscribing.period_of(subscription)[1]) < self.now:
            with self.at(moment):
                subscribing.renew(self.world, subscription)

    def bill(self, person: Json, amount: int, description: str, currency: str = "usd", **more: Any) -> Json:
        """A draft invoice with one invoice item on it."""
        moment = self.world.now()
        item = Item(
            description=description,
            amount=amount,
            period=(moment, moment),
            tax_rates=tuple(more.pop("tax_rates", ())),
        )
        invoice = invoicing.draft(self.world, person, currency, **more)
        invoice_items.create_item(self.world, person, currency, item, invoice)
        return invoice

    def bill_and_collect(self, person: Json, amount: int, description: str, currency: str = "usd", **more: Any) -> Json:
        invoice = self.bill(person, amount, description, currency, **more)
        invoicing.finalize(self.world, invoice)
        return paying.pay(self.world, invoice)

    def charge(self, person: Json, amount: int, currency: str, description: str, **metadata: str) -> Json:
        """A payment that belongs to no invoice."""
        method = self.world.get("payment_method", person["invoice_settings"]["default_payment_method"])
        intent = payment_intents.create_intent(
            self.world, amount, currency, customer=person, method=method, description=description, metadata=metadata
        )
        return payment_intents.confirm(self.world, intent)

    def charge_of(self, invoice: Json) -> Json:
        """The charge that paid the invoice."""
        payment = invoicing.payments_of(self.world, invoice)[0]
        intent = self.world.get("payment_intent", payment["payment"]["payment_intent"])
        return self.world.get("charge", intent["latest_charge"])

    def refund(self, invoice: Json, amount: int | None = None) -> Json:
        return refunds.refund(self.world, self.charge_of(invoice), amount, reason="requested_by_customer")
