"""One suite, two services: the sandbox always, and Stripe's own test mode when STRIPE_TEST_KEY is set."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import stripe

from tests.fixtures.network import outward_allowed
from tests.fixtures.sandbox import Sandbox

VARIABLE = "STRIPE_TEST_KEY"
PATIENCE_SECONDS = 90
Refusal = tuple[int | None, str | None, str | None]


@dataclass(frozen=True)
class Service:
    """The service under contract, and names that nobody has used before."""

    client: stripe.StripeClient
    patience: float
    token: str = field(default_factory=lambda: uuid4().hex[:12])

    @property
    def v1(self) -> Any:
        return self.client.v1

    def key(self, name: str) -> stripe.RequestOptions:
        return {"idempotency_key": f"contract-{self.token}-{name}"}

    def email(self, name: str = "contract") -> str:
        return f"{name}-{self.token}@example.com"

    def customer(self, card: str | None = "pm_card_visa") -> Any:
        """With the card as the default for invoices."""
        made = self.v1.customers.create({"email": self.email(), "name": "Contract Test"})
        if card:
            method = self.v1.payment_methods.attach(card, {"customer": made.id})
            self.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": method.id}})
        return made

    def payment(self, amount: int = 2000, card: str = "pm_card_visa", **more: Any) -> Any:
        """A PaymentIntent that is confirmed on the spot."""
        methods = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
        return self.v1.payment_intents.create(
            {"amount": amount, "currency": "usd", "payment_method": card, "confirm": True, **methods, **more}
        )

    def invoice(self, amount: int = 3000, card: str | None = "pm_card_visa") -> Any:
        """Finalised and open, of one item."""
        customer = self.customer(card)
        draft = self.v1.invoices.create({"customer": customer.id, "auto_advance": False})
        item = {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": "usd"}
        self.v1.invoice_items.create(item)
        return self.v1.invoices.finalize_invoice(draft.id)

    def eventually(self, look: Callable[[], Any]) -> Any:
        """The first truthy answer; search is late at Stripe."""
        until = time.monotonic() + self.patience
        while not (found := look()) and time.monotonic() < until:
            time.sleep(1)
        return found


def refusal(call: Callable[[], Any]) -> Refusal:
    """HTTP status, code and param of the error that the call raises."""
    with pytest.raises(stripe.StripeError) as raised:
        call()
    error = raised.value.error
    return raised.value.http_status, getattr(error, "code", None), getattr(error, "param", None)


@pytest.fixture(params=["sandbox", "stripe"] if os.environ.get(VARIABLE) else ["sandbox"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    if request.param == "sandbox":
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        yield Service(sandbox.stripe(), patience=0)
        return
    secret = os.environ[VARIABLE]
    if not secret.startswith(("sk_test_", "rk_test_")):
        pytest.fail(f"{VARIABLE} must be a test key")
    with outward_allowed():
        client = stripe.StripeClient(secret, max_network_retries=2, http_client=stripe.RequestsClient(timeout=60))
        yield Service(client, patience=PATIENCE_SECONDS)
