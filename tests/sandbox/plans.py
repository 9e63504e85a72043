"""What the tests of subscriptions begin with: a customer with a card, and a plan."""

from typing import Any

from tests.sandbox.conftest import Api

DAY = 86_400


def price(api: Api, amount: int = 1000, interval: str = "month", name: str = "Desk") -> str:
    product = api.make("products", name=name)
    form = {"product": product["id"], "currency": "usd", "unit_amount": amount, "recurring[interval]": interval}
    made: str = api.make("prices", **form)["id"]
    return made


def customer_with(api: Api, card: str | None = "pm_card_visa", **form: Any) -> str:
    customer: str = api.make("customers", **form)["id"]
    if card:
        method = api.make(f"payment_methods/{card}/attach", customer=customer)["id"]
        api.make(f"customers/{customer}", **{"invoice_settings[default_payment_method]": method})
    return customer


def set_card(api: Api, customer: str, card: str) -> None:
    method = api.make(f"payment_methods/{card}/attach", customer=customer)["id"]
    api.make(f"customers/{customer}", **{"invoice_settings[default_payment_method]": method})


def subscribe(api: Api, customer: str, **form: Any) -> dict[str, Any]:
    """20.00 a month for two seats, unless told otherwise."""
    wanted = {"items[0][price]": form.pop("price", None) or price(api), "items[0][quantity]": form.pop("quantity", 2)}
    return api.make("subscriptions", customer=customer, **wanted, **form)


def period_end(subscription: dict[str, Any]) -> int:
    end: int = subscription["items"]["data"][0]["current_period_end"]
    return end


def event_types(api: Api, identifier: str) -> list[str]:
    """Of one object, oldest first."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.read("events", limit=100, **cursor)
        found += page["data"]
        if not page["has_more"]:
            break
        cursor = {"starting_after": page["data"][-1]["id"]}
    return [each["type"] for each in reversed(found) if each["data"]["object"].get("id") == identifier]
