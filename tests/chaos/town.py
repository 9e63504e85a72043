"""One customer at the simulated Stripe with something for every kind of action, twice and in several sizes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.fixtures.sandbox import Sandbox

Json = dict[str, Any]
Size = Literal["small", "large", "huge"]
Standing = Literal["running", "ending", "paused"]
SIZES: tuple[Size, ...] = ("small", "large", "huge")
STANDINGS: dict[Standing, Json] = {
    "running": {},
    "ending": {"cancel_at_period_end": True},
    "paused": {"pause_collection": {"behavior": "void"}},
}
CHARGED: dict[Size, int] = {"small": 4900, "large": 48_000, "huge": 900_000}
BILLED: dict[Size, int] = {"small": 120_000, "large": 250_000, "huge": 1_500_000}
EMAIL, NAME = "pat@example.com", "Pat"
SEAT = 1200
SNAPSHOT = "chaos-town"
PLACES = (0, 1)
DASHBOARD = "dashboard:"
"""Begins the idempotency keys of what is not done by us."""


@dataclass
class Town:
    sandbox: Sandbox
    customer: str = ""
    card: str = ""
    price: str = ""
    charges: dict[tuple[Size, int], str] = field(default_factory=dict)
    invoices: dict[tuple[Size, int], Json] = field(default_factory=dict)
    subscriptions: dict[tuple[Standing, int], Json] = field(default_factory=dict)
    built: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def build(cls, sandbox: Sandbox) -> "Town":
        sandbox.reset(seed=None)
        town = cls(sandbox)
        town._settle()
        for place in PLACES:
            for size in SIZES:
                town.charges[size, place] = town._charge(CHARGED[size])
                town.invoices[size, place] = town._invoice(BILLED[size])
            for standing, change in STANDINGS.items():
                town.subscriptions[standing, place] = town._subscription(change)
        sandbox.post("snapshot", name=SNAPSHOT)
        return town

    def put_back(self) -> None:
        self.sandbox.post("restore", name=SNAPSHOT)

    def deeds(self, event: str, action: str) -> list[Json]:
        """One event of this type for each request that was made in the action's name and caused some."""
        headers = {"Authorization": f"Bearer {self.sandbox.api_key}"}
        answer = self.sandbox.http.get("/v1/events", params={"limit": 100, "type": event}, headers=headers)
        found = [each for each in answer.raise_for_status().json()["data"] if _is_of(each, action)]
        return list({each["request"]["id"]: each for each in found}.values())

    @property
    def v1(self) -> Any:
        return self.sandbox.stripe().v1

    def by_hand(self) -> Any:
        """Options of a request in the dashboard."""
        return {"idempotency_key": f"{DASHBOARD}{datetime.now(UTC).timestamp()}"}

    def _settle(self) -> None:
        person = self.v1.customers.create({"email": EMAIL, "name": NAME})
        self.customer = str(person.id)
        self.card = str(self.v1.payment_methods.attach("pm_card_visa", {"customer": self.customer}).id)
        self.v1.customers.update(self.customer, {"invoice_settings": {"default_payment_method": self.card}})
        product = self.v1.products.create({"name": "Seats"})
        recurring = {"currency": "usd", "unit_amount": SEAT, "recurring": {"interval": "month"}}
        self.price = str(self.v1.prices.create({"product": product.id, **recurring}).id)

    def _charge(self, amount: int) -> str:
        paid = {"payment_method": self.card, "confirm": True, "off_session": True}
        asked = {"amount": amount, "currency": "usd", "customer": self.customer, **paid}
        return str(self.v1.payment_intents.create(asked).latest_charge)

    def _invoice(self, amount: int) -> Json:
        sent = {"collection_method": "send_invoice", "days_until_due": 14}
        made = self.v1.invoices.create({"customer": self.customer, **sent})
        line = {"customer": self.customer, "invoice": made.id, "amount": amount, "currency": "usd"}
        self.v1.invoice_items.create(line)
        final: Json = self.v1.invoices.finalize_invoice(made.id).to_dict()
        return final

    def _subscription(self, change: Json) -> Json:
        asked = {"customer": self.customer, "items": [{"price": self.price, "quantity": 2}]}
        made = self.v1.subscriptions.create(asked)
        held: Json = (self.v1.subscriptions.update(made.id, change) if change else made).to_dict()
        return held


def _is_of(event: Json, action: str) -> bool:
    """By the key of the request; by our mark on the object where the key is nobody's."""
    request = event["request"] or {}
    key = str(request.get("idempotency_key") or "")
    if not request.get("id") or key.startswith(DASHBOARD):
        return False
    marks = event["data"]["object"].get("metadata") or {}
    return action in key if key.startswith("counterfoil:") else action in {*marks, *marks.values()}
