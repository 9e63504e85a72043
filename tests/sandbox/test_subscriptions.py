"""Subscriptions: first invoice, changes, cancelling now and at the end of the period."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.stripe.resources.periods import add_intervals, add_months
from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api


@pytest.fixture
def subscription(api: Api) -> dict[str, Any]:
    """Somebody new who pays 20.00 a month for two seats."""
    customer = api.make("customers", email="new@example.com")
    return subscribe(api, customer["id"], "pm_card_visa")


def price(api: Api, amount: int = 1000) -> str:
    product = api.make("products", name="Desk")
    form = {"product": product["id"], "currency": "usd", "unit_amount": amount, "recurring[interval]": "month"}
    made: str = api.make("prices", **form)["id"]
    return made


def subscribe(api: Api, customer: str, card: str, **form: Any) -> dict[str, Any]:
    method = api.make(f"payment_methods/{card}/attach", customer=customer)["id"]
    items = {"items[0][price]": price(api), "items[0][quantity]": 2}
    return api.make("subscriptions", customer=customer, default_payment_method=method, **items, **form)


def test_the_first_period_is_billed_at_once(api: Api, subscription: dict[str, Any]) -> None:
    item = subscription["items"]["data"][0]
    assert ("active", 2) == (subscription["status"], item["quantity"])
    assert add_months(item["current_period_start"], 1) == item["current_period_end"]
    invoice = api.read(f"invoices/{subscription['latest_invoice']}")
    assert ("paid", 2000, "subscription_create") == (invoice["status"], invoice["total"], invoice["billing_reason"])
    assert subscription["id"] == invoice["parent"]["subscription_details"]["subscription"]
    assert "2 × Desk (at $10.00 / month)" == invoice["lines"]["data"][0]["description"]


def test_a_declined_first_payment_leaves_it_incomplete_until_paid(api: Api) -> None:
    customer = api.make("customers")["id"]
    made = subscribe(api, customer, "pm_card_chargeDeclined")
    assert "incomplete" == made["status"]
    api.make(f"invoices/{made['latest_invoice']}/pay", payment_method="pm_card_visa")
    assert "active" == api.read(f"subscriptions/{made['id']}")["status"]


def test_cancelling_at_the_end_of_the_period_keeps_it_running(api: Api, subscription: dict[str, Any]) -> None:
    path = f"subscriptions/{subscription['id']}"
    cancelled = api.make(path, cancel_at_period_end="true", **{"metadata[action]": "a1"})
    end = subscription["items"]["data"][0]["current_period_end"]
    assert ("active", True, end) == tuple(cancelled[key] for key in ("status", "cancel_at_period_end", "cancel_at"))
    assert ("cancellation_requested", "a1") == (
        cancelled["cancellation_details"]["reason"],
        cancelled["metadata"]["action"],
    )
    again = api.make(path, cancel_at_period_end="true")
    assert cancelled["canceled_at"] == again["canceled_at"]
    kept = api.make(path, cancel_at_period_end="false")
    assert (False, None, None) == tuple(kept[key] for key in ("cancel_at_period_end", "cancel_at", "canceled_at"))


def test_cancelling_now_ends_it_for_good(api: Api, subscription: dict[str, Any]) -> None:
    path = f"subscriptions/{subscription['id']}"
    ended = api.delete(path, **{"cancellation_details[feedback]": "too_expensive"}).json()
    assert ("canceled", "too_expensive") == (ended["status"], ended["cancellation_details"]["feedback"])
    assert (404, "resource_missing", "id") == api.error(api.delete(path))
    refused = api.post(path, cancel_at_period_end="true")
    assert (400, "invalid_canceled_subscription_fields", None) == api.error(refused)
    assert "kept" == api.make(path, **{"metadata[note]": "kept"})["metadata"]["note"]


def test_cancelling_refunds_nothing_by_itself(api: Api, subscription: dict[str, Any]) -> None:
    api.delete(f"subscriptions/{subscription['id']}", prorate="true", invoice_now="true")
    assert [] == api.read("refunds", charge=charge_of(api, subscription))["data"]
    assert api.read(f"customers/{subscription['customer']}")["balance"] < 0


def charge_of(api: Api, subscription: dict[str, Any]) -> str:
    found: str = api.read("charges", customer=subscription["customer"])["data"][0]["id"]
    return found


def test_more_seats_make_prorations_for_the_next_invoice(
    api: Api, sandbox: Sandbox, subscription: dict[str, Any]
) -> None:
    sandbox.advance(10 * 86_400)
    item = subscription["items"]["data"][0]["id"]
    form = {"items[0][id]": item, "items[0][quantity]": 3}
    changed = api.make(f"subscriptions/{subscription['id']}", **form)
    assert 3 == changed["items"]["data"][0]["quantity"]
    charged, credited = api.read("invoiceitems", customer=subscription["customer"], pending="true")["data"]
    assert (True, True) == (charged["proration"], credited["proration"])
    assert credited["amount"] < 0 < charged["amount"] < 3000
    assert 3 * -credited["amount"] == pytest.approx(2 * charged["amount"], abs=3)


def test_prorations_can_be_billed_at_once_or_left_out(api: Api, subscription: dict[str, Any]) -> None:
    item = subscription["items"]["data"][0]["id"]
    path = f"subscriptions/{subscription['id']}"
    silent = {"items[0][id]": item, "items[0][quantity]": 1, "proration_behavior": "none"}
    api.make(path, **silent)
    assert [] == api.read("invoiceitems", customer=subscription["customer"])["data"]
    at_once = {"items[0][id]": item, "items[0][quantity]": 4, "proration_behavior": "always_invoice"}
    latest = api.make(path, **at_once)["latest_invoice"]
    invoice = api.read(f"invoices/{latest}")
    assert ("paid", "subscription_update", 3000) == (
        invoice["status"],
        invoice["billing_reason"],
        invoice["total"],
    )


def test_items_come_and_go_but_one_stays(api: Api, subscription: dict[str, Any]) -> None:
    path = f"subscriptions/{subscription['id']}"
    first = subscription["items"]["data"][0]["id"]
    only = {"items[0][id]": first, "items[0][deleted]": "true"}
    assert (400, None, "items[0][deleted]") == api.error(api.post(path, **only))
    added = api.make(path, **{"items[0][price]": price(api, 500)})["items"]["data"]
    assert len(added) == 2
    assert added == api.read("subscription_items", subscription=subscription["id"])["data"]
    assert [added[1]["id"]] == [item["id"] for item in api.make(path, **only)["items"]["data"]]


def test_a_trial_costs_nothing(api: Api) -> None:
    customer = api.make("customers")["id"]
    made = subscribe(api, customer, "pm_card_visa", trial_period_days=14)
    assert ("trialing", made["trial_end"]) == (made["status"], made["items"]["data"][0]["current_period_end"])
    assert 0 == api.read(f"invoices/{made['latest_invoice']}")["total"]
    assert [] == api.read("charges", customer=customer)["data"]


def test_a_one_time_price_cannot_be_subscribed_to(api: Api) -> None:
    product = api.make("products", name="Book")["id"]
    once = api.make("prices", product=product, currency="usd", unit_amount=900)["id"]
    customer = api.make("customers")["id"]
    refused = api.post("subscriptions", customer=customer, **{"items[0][price]": once})
    assert (400, None, "items[0][price]") == api.error(refused)
    assert [] == api.read("subscriptions", customer=customer)["data"]


def test_a_change_that_is_refused_changes_nothing(api: Api, subscription: dict[str, Any]) -> None:
    item = subscription["items"]["data"][0]["id"]
    form = {"items[0][id]": item, "items[0][quantity]": 9, "items[1][price]": "price_none"}
    refused = api.post(f"subscriptions/{subscription['id']}", description="new", **form)
    assert (400, "resource_missing", "items[1][price]") == api.error(refused)
    assert subscription == api.read(f"subscriptions/{subscription['id']}")
    assert [] == api.read("invoiceitems", customer=subscription["customer"])["data"]


def test_deleting_a_customer_ends_the_subscription(api: Api, subscription: dict[str, Any]) -> None:
    customer = subscription["customer"]
    assert {"id": customer, "object": "customer", "deleted": True} == api.delete(f"customers/{customer}").json()
    assert api.read(f"customers/{customer}")["deleted"]
    assert "canceled" == api.read(f"subscriptions/{subscription['id']}")["status"]
    refused = api.post("invoices", customer=customer)
    assert (400, "resource_missing", "customer") == api.error(refused)


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


def test_months_keep_their_day_where_they_can() -> None:
    january = moment(2027, 1, 31, 9)
    monthly = {"interval": "month", "interval_count": 1}
    ends = [add_intervals(january, monthly, times) for times in (1, 2, 3)]
    assert [moment(2027, 2, 28, 9), moment(2027, 3, 31, 9), moment(2027, 4, 30, 9)] == ends
    assert moment(2026, 8, 31, 9) == add_months(january, -5)
    yearly = {"interval": "year", "interval_count": 1}
    assert moment(2029, 2, 28) == add_intervals(moment(2028, 2, 29), yearly, 1)
    assert moment(2027, 2, 14, 9) == add_intervals(january, {"interval": "week", "interval_count": 2}, 1)
