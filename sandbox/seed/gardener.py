"""Builds the past by doing it: every step runs Stripe's own rules with the clock held at its moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.brackets import Tree
from sandbox.stripe.errors import Json
from sandbox.stripe.params import coerce
from sandbox.stripe.resource import Call
from sandbox.stripe.resources import (
    REGISTRY,
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
from sandbox.stripe.resources.periods import add_months
from sandbox.stripe.world import World

MINUTE, HOUR, DAY = 60, 3600, 86_400
ROUTES = {f"{route.method} {route.path}": route for route in REGISTRY.routes()}


class Gardener:
    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.now()
        self.opening = add_months(self.now, -48)
        """When the shop opened with its products and prices."""
        self.products: dict[str, Json] = {}
        self.prices: dict[tuple[str, int, str, str, int], Json] = {}

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

    def do(self, what: str, of: Json | None = None, **params: Any) -> Json:
        """One request as the merchant's software would make it: `do("POST /v1/invoices/{id}/void", invoice)`."""
        route = ROUTES[what]
        ids = {"id": of["id"]} if of else {}
        return route.handler(Call(self.world, coerce(_tree(params), route.fields), route.path, ids))

    def customer(self, name: str, email: str | None, *, card: str | None = "pm_card_visa", **more: Any) -> Json:
        person = customers.create_customer(self.world, {"name": name, "email": email, **more})
        if card:
            self.add_card(person, card)
        return person

    def add_card(self, person: Json, card: str) -> None:
        """The new card is the default from now on; the old one stays on file."""
        method = payment_methods.card(self.world, card, name=person["name"], email=person["email"])
        payment_methods.attach(self.world, method, person)
        self.do("POST /v1/customers/{id}", person, invoice_settings={"default_payment_method": method["id"]})

    def price(
        self, product: str, amount: int, currency: str = "usd", interval: str = "month", interval_count: int = 1
    ) -> Json:
        """As the shop has had it since it opened."""
        terms = (product, amount, currency, interval, interval_count)
        if terms not in self.prices:
            with self.at(self.opening):
                if product not in self.products:
                    self.products[product] = catalog.create_product(self.world, product)
                self.prices[terms] = catalog.create_price(
                    self.world,
                    self.products[product],
                    amount,
                    currency,
                    interval=interval,
                    interval_count=interval_count,
                )
        return self.prices[terms]

    def coupon(self, name: str, percent: int, months: int | None = None) -> Json:
        """Forever unless it is for some months."""
        lasting = {"duration": "repeating", "duration_in_months": months} if months else {"duration": "forever"}
        with self.at(self.opening):
            return self.do("POST /v1/coupons", name=name, percent_off=percent, **lasting)

    def subscribe(self, person: Json, price: Json, quantity: int = 1, **more: Any) -> Json:
        wanted = [{"price": price, "quantity": quantity, "tax_rates": more.pop("tax_rates", [])}]
        return subscribing.create_subscription(self.world, person, wanted, **more)

    def renew_until_now(self, subscription: Json) -> None:
        """Bills every period that has begun by now."""
        self.renew_until(self.now, subscription)

    def renew_until(self, end: int, subscription: Json) -> None:
        while (moment := subscribing.period_of(subscription)[1]) < end:
            with self.at(moment):
                subscribing.renew(self.world, subscription)

    def renew(self, subscription: Json, times: int = 1) -> None:
        """Bills the next periods, each on its day, but none that has not begun."""
        for _ in range(times):
            self.renew_until(min(self.now, subscribing.period_of(subscription)[1] + 1), subscription)

    def change(self, subscription: Json, proration_behavior: str = "create_prorations", **item: Any) -> None:
        """Another quantity or price of the subscription's first item, prorated from this moment on."""
        first = {"id": subscription["items"]["data"][0]["id"], **item}
        self.do("POST /v1/subscriptions/{id}", subscription, items=[first], proration_behavior=proration_behavior)

    def add_to(self, subscription: Json, price: Json, proration_behavior: str = "create_prorations") -> None:
        """One more item on the subscription, for the rest of the period at first."""
        added = [{"price": price["id"]}]
        self.do("POST /v1/subscriptions/{id}", subscription, items=added, proration_behavior=proration_behavior)

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
        return self.collect(self.bill(person, amount, description, currency, **more))

    def collect(self, invoice: Json) -> Json:
        invoicing.finalize(self.world, invoice)
        return paying.pay(self.world, invoice)

    def add_line(self, invoice: Json, amount: int, description: str) -> None:
        customer, currency = invoice["customer"], invoice["currency"]
        line = {"customer": customer, "invoice": invoice["id"], "amount": amount, "currency": currency}
        self.do("POST /v1/invoiceitems", description=description, **line)

    def sent(self, days: int) -> Json:
        """What makes an invoice one that is mailed and due in so many days."""
        return {"collection_method": "send_invoice", "due_date": self.world.now() + days * DAY}

    def pay_towards(self, invoice: Json, amount: int) -> None:
        """One payment of possibly several; the invoice is paid when they reach its total."""
        person = self.world.get("customer", invoice["customer"])
        charge = self.charge(person, amount, invoice["currency"], f"Payment for Invoice {invoice['number']}")
        self.do("POST /v1/invoices/{id}/attach_payment", invoice, payment_intent=charge["id"])

    def charge(self, person: Json, amount: int, currency: str, description: str, **metadata: str) -> Json:
        """A payment that belongs to no invoice."""
        method = self.world.get("payment_method", person["invoice_settings"]["default_payment_method"])
        intent = payment_intents.create_intent(
            self.world, amount, currency, customer=person, method=method, description=description, metadata=metadata
        )
        return payment_intents.confirm(self.world, intent)

    def authorise(self, person: Json, amount: int, currency: str, description: str) -> Json:
        """Held on the default card, and captured by nobody."""
        payment = {"customer": person["id"], "amount": amount, "currency": currency, "description": description}
        card = person["invoice_settings"]["default_payment_method"]
        confirmed = {"payment_method": card, "confirm": True, "capture_method": "manual"}
        return self.do("POST /v1/payment_intents", **payment, **confirmed)

    def charge_of(self, invoice: Json) -> Json:
        """The charge that paid the invoice."""
        payment = invoicing.payments_of(self.world, invoice)[0]
        intent = self.world.get("payment_intent", payment["payment"]["payment_intent"])
        return self.world.get("charge", intent["latest_charge"])

    def latest_charge(self, subscription: Json) -> Json:
        return self.charge_of(self.world.get("invoice", subscription["latest_invoice"]))

    def refund(self, invoice: Json, amount: int | None = None, settling_days: int = 0, **more: Any) -> Json:
        made = refunds.refund(self.world, self.charge_of(invoice), amount, reason="requested_by_customer", **more)
        refunds.settle_later(self.world, made, settling_days * DAY)
        return made


def _tree(params: dict[str, Any]) -> Tree:
    return {name: _raw(value) for name, value in params.items()}


def _raw(value: Any) -> str | Tree:
    """As a form would carry it."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return _tree(value)
        case list():
            return _tree({str(place): item for place, item in enumerate(value)})
    return str(value)


Situations = dict[Callable[[Gardener], None], str]
"""Who plants a customer, whose docstring is the customer's story; and what this customer may come to say."""
