"""Plain HTTP beside the SDK: some facts live in the exact body and headers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import stripe

from tests.fixtures.sandbox import NO_TLS, Sandbox


@dataclass(frozen=True)
class Api:
    """The sandbox over plain HTTP, forms in and JSON out."""

    http: httpx.Client

    def post(self, path: str, key: str | None = None, **form: Any) -> httpx.Response:
        """Nested names are written as Stripe does: `**{"metadata[a]": "b"}`."""
        return self.http.post(f"/v1/{path}", data=form, headers={"Idempotency-Key": key} if key else {})

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(f"/v1/{path}", params=query)

    def delete(self, path: str, **query: Any) -> httpx.Response:
        return self.http.delete(f"/v1/{path}", params=query)

    def error(self, answer: httpx.Response) -> tuple[int, str | None, str | None]:
        """Status, code and param of a refusal."""
        error = answer.json()["error"]
        return answer.status_code, error.get("code"), error.get("param")

    def make(self, path: str, **form: Any) -> dict[str, Any]:
        answer = self.post(path, **form)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def customer(self, email: str) -> dict[str, Any]:
        found: dict[str, Any] = self.read("customers", email=email)["data"][0]
        return found

    def charges(self, email: str) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.read("charges", customer=self.customer(email)["id"], limit=100)["data"]
        return found

    def payment(self, amount: int = 2000, currency: str = "usd", card: str = "pm_card_visa") -> dict[str, Any]:
        """A confirmed PaymentIntent."""
        return self.make("payment_intents", amount=amount, currency=currency, payment_method=card, confirm="true")


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=10, verify=NO_TLS) as http:
        yield Api(http)


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    return sandbox.stripe()
