"""Subscriptions: first invoice, changes, cancelling now and at the end of the period."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.stripe.resources.periods import add_intervals, add_months
from tests.fixtures.sandbox import Sandbox
from tests.sandbox import plans
from tests.sandbox.conftest import Api
from tests.sandbox.shapes import misfits


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


def change(api: Api, subscription: dict[str, Any], **form: Any) -> dict[str, Any]:
    return api.make(f"subscriptions/{subscription['id']}", **form)


def test_another_interval_starts_a_new_period_and_credits_the_old_one(
    api: Api, sandbox: Sandbox, subscription: dict[str, Any]
) -> None:
    item = subscription["items"]["data"][0]
    start, end = item["current_period_start"], item["current_period_end"]
    sandbox.advance((end - start) // 2)
    yearly = plans.price(api, 9000, "year")
    changed = change(api, subscription, **{"items[0][id]": item["id"], "items[0][price]": yearly})
    renewed = changed["items"]["data"][0]
    assert add_months(renewed["current_period_start"], 12) == renewed["current_period_end"]
    invoice = api.read(f"invoices/{changed['latest_invoice']}")
    assert ("paid", 18_000) == (invoice["status"], invoice["lines"]["data"][0]["amount"])
    assert 17_000 == pytest.approx(invoice["total"], abs=3)


def test_items_of_one_subscription_share_their_interval(api: Api, subscription: dict[str, Any]) -> None:
    path = f"subscriptions/{subscription['id']}"
    refused = api.post(path, **{"items[0][price]": plans.price(api, 9000, "year")})
    assert (400, None, "items") == api.error(refused)
    assert subscription == api.read(path)


def test_a_new_anchor_bills_a_full_period_from_now(api: Api, sandbox: Sandbox, subscription: dict[str, Any]) -> None:
    sandbox.advance(10 * plans.DAY)
    form = {"billing_cycle_anchor[type]": "now", "proration_behavior": "none"}
    moved = change(api, subscription, **form)
    assert moved["billing_cycle_anchor"] == moved["items"]["data"][0]["current_period_start"]
    assert 2000 == api.read(f"invoices/{moved['latest_invoice']}")["total"]


def test_a_proration_counts_from_the_moment_that_was_given(
    api: Api, sandbox: Sandbox, subscription: dict[str, Any]
) -> None:
    item = subscription["items"]["data"][0]
    middle = (item["current_period_start"] + item["current_period_end"]) // 2
    sandbox.advance(3 * plans.DAY)
    form = {"items[0][id]": item["id"], "items[0][quantity]": 4, "proration_date": middle}
    change(api, subscription, **form)
    charged, credited = api.read("invoiceitems", customer=subscription["customer"])["data"]
    assert (2000, -1000) == (charged["amount"], credited["amount"])
    refused = api.post(
        f"subscriptions/{subscription['id']}", **form | {"proration_date": item["current_period_end"] + 1}
    )
    assert (400, None, "proration_date") == api.error(refused)


def test_a_trial_can_be_given_extended_and_ended(api: Api, subscription: dict[str, Any]) -> None:
    ends = subscription["created"] + 5 * plans.DAY
    given = change(api, subscription, trial_end=ends, proration_behavior="none")
    assert ("trialing", ends, ends) == (given["status"], given["trial_end"], plans.period_end(given))
    longer = change(api, subscription, trial_end=ends + plans.DAY)
    assert ("trialing", ends + plans.DAY) == (longer["status"], plans.period_end(longer))
    over = change(api, subscription, trial_end="now")
    assert "active" == over["status"]
    assert 2000 == api.read(f"invoices/{over['latest_invoice']}")["total"]
    refused = api.post(f"subscriptions/{subscription['id']}", trial_end=1_700_000_000)
    assert (400, None, "trial_end") == api.error(refused)


def test_a_moment_to_cancel_at_is_set_moved_and_taken_back(api: Api, subscription: dict[str, Any]) -> None:
    path, end = f"subscriptions/{subscription['id']}", plans.period_end(subscription)
    assert end - 100 == change(api, subscription, cancel_at=end - 100)["cancel_at"]
    moved = change(api, subscription, cancel_at="min_period_end")
    assert (end, False) == (moved["cancel_at"], moved["cancel_at_period_end"])
    kept = change(api, subscription, cancel_at="")
    assert (None, None) == (kept["cancel_at"], kept["canceled_at"])
    assert (400, None, "cancel_at") == api.error(api.post(path, cancel_at=1_700_000_000))
    both = api.post(path, cancel_at=end, cancel_at_period_end="true")
    assert (400, "parameters_exclusive", "cancel_at") == api.error(both)


def test_pausing_credits_unused_time_and_resuming_bills_a_new_period(
    api: Api, sandbox: Sandbox, subscription: dict[str, Any]
) -> None:
    path = f"subscriptions/{subscription['id']}"
    sandbox.advance(10 * plans.DAY)
    paused = api.make(f"{path}/pause")
    assert ("paused", "pause_requested") == (
        paused["status"],
        paused["status_details"]["paused"]["subscription"]["type"],
    )
    (credit,) = api.read("invoiceitems", customer=subscription["customer"], pending="true")["data"]
    assert -2000 < credit["amount"] < 0
    sandbox.advance(60 * plans.DAY)
    assert subscription["latest_invoice"] == api.read(path)["latest_invoice"]
    resumed = api.make(f"{path}/resume")
    invoice = api.read(f"invoices/{resumed['latest_invoice']}")
    assert ("active", None, 2000 + credit["amount"]) == (resumed["status"], resumed["status_details"], invoice["total"])
    assert "customer.subscription.resumed" == plans.event_types(api, subscription["id"])[-1]


def test_resuming_into_the_old_cycle_charges_the_rest_of_it(
    api: Api, sandbox: Sandbox, subscription: dict[str, Any]
) -> None:
    path = f"subscriptions/{subscription['id']}"
    api.make(f"{path}/pause", **{"bill_for[unused_time_from][type]": "none"})
    sandbox.advance(75 * plans.DAY)
    form = {"billing_cycle_anchor[type]": "unchanged", "proration_behavior": "always_invoice"}
    resumed = api.make(f"{path}/resume", **form)
    item = resumed["items"]["data"][0]
    assert item["current_period_end"] == add_months(subscription["created"], 3)
    assert 0 < api.read(f"invoices/{resumed['latest_invoice']}")["total"] < 2000


def test_only_a_paused_subscription_is_resumed_and_only_a_running_one_paused(
    api: Api, subscription: dict[str, Any]
) -> None:
    path = f"subscriptions/{subscription['id']}"
    assert (400, None, "id") == api.error(api.post(f"{path}/resume"))
    api.make(f"{path}/pause")
    assert (400, None, "id") == api.error(api.post(f"{path}/pause"))
    api.delete(path)
    assert (400, None, "id") == api.error(api.post(f"{path}/resume"))


@pytest.mark.parametrize(
    ("flags", "pending", "credited"),
    [
        ({}, 0, False),
        ({"prorate": "true"}, 3, False),
        ({"prorate": "true", "invoice_now": "true"}, 0, True),
    ],
)
def test_what_cancelling_now_does_with_unused_time(
    api: Api,
    subscription: dict[str, Any],
    flags: dict[str, str],
    pending: int,
    credited: bool,
) -> None:
    item = subscription["items"]["data"][0]["id"]
    change(api, subscription, **{"items[0][id]": item, "items[0][quantity]": 1})
    api.delete(f"subscriptions/{subscription['id']}", **flags)
    waiting = api.read("invoiceitems", customer=subscription["customer"], pending="true")["data"]
    assert pending == len(waiting)
    assert credited == (api.read(f"customers/{subscription['customer']}")["balance"] < 0)
    assert [] == api.read("refunds", charge=charge_of(api, subscription))["data"]


def test_an_ended_subscription_leaves_its_open_invoices_uncollected(api: Api, sandbox: Sandbox) -> None:
    customer = plans.customer_with(api)
    made = plans.subscribe(api, customer)
    plans.set_card(api, customer, "pm_card_chargeCustomerFail")
    sandbox.advance(plans.period_end(made) - made["created"] + 2 * 3600)
    api.delete(f"subscriptions/{made['id']}")
    invoice = api.read("invoices", subscription=made["id"])["data"][0]
    assert ("open", False, None) == tuple(invoice[key] for key in ("status", "auto_advance", "next_payment_attempt"))
    plans.set_card(api, customer, "pm_card_visa")
    sandbox.advance(30 * plans.DAY)
    assert "open" == api.read(f"invoices/{invoice['id']}")["status"]


def test_a_new_item_keeps_all_that_was_said_of_it(api: Api, subscription: dict[str, Any]) -> None:
    form = {"subscription": subscription["id"], "price": price(api, 500), "quantity": 3, "metadata[desk]": "window"}
    made = api.make("subscription_items", **form)
    assert (3, {"desk": "window"}) == (made["quantity"], made["metadata"])
    assert made == api.read(f"subscription_items/{made['id']}")


def test_items_have_routes_of_their_own(api: Api, subscription: dict[str, Any]) -> None:
    first = subscription["items"]["data"][0]
    assert first == api.read(f"subscription_items/{first['id']}")
    added = api.make("subscription_items", subscription=subscription["id"], price=plans.price(api, 500), quantity=3)
    assert (3, 500) == (added["quantity"], added["price"]["unit_amount"])
    assert 1500 == api.read("invoiceitems", customer=subscription["customer"])["data"][0]["amount"]
    fewer = api.make(f"subscription_items/{added['id']}", quantity=1, proration_behavior="none", **{"metadata[a]": "b"})
    assert (1, {"a": "b"}) == (fewer["quantity"], fewer["metadata"])
    gone = api.delete(f"subscription_items/{added['id']}").json()
    assert {"id": added["id"], "object": "subscription_item", "deleted": True} == gone
    assert [first["id"]] == [each["id"] for each in api.read(f"subscriptions/{subscription['id']}")["items"]["data"]]
    assert (404, "resource_missing", "id") == api.error(api.get(f"subscription_items/{added['id']}"))
    only = api.delete(f"subscription_items/{first['id']}")
    assert (400, None, "deleted") == api.error(only)
    assert [] == misfits(api.read("subscription_items", subscription=subscription["id"]))
    wrong = api.post("subscription_items", subscription=subscription["id"], price="price_none")
    assert (400, "resource_missing", "price") == api.error(wrong)
