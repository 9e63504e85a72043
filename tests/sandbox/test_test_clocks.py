"""Test clocks: customers with a time of their own."""

from typing import Any

import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.plans import DAY, customer_with, event_types, period_end, price, subscribe
from tests.sandbox.shapes import misfits

LONG_AGO = 1_700_000_000


@pytest.fixture
def clock(api: Api) -> dict[str, Any]:
    return api.make("test_helpers/test_clocks", frozen_time=LONG_AGO, name="Two years back")


def advance(api: Api, clock: dict[str, Any], to: int) -> dict[str, Any]:
    return api.make(f"test_helpers/test_clocks/{clock['id']}/advance", frozen_time=to)


def test_the_sdk_makes_advances_lists_and_deletes_a_clock(client: stripe.StripeClient) -> None:
    clocks = client.v1.test_helpers.test_clocks
    made = clocks.create({"frozen_time": LONG_AGO})
    advanced = clocks.advance(made.id, {"frozen_time": LONG_AGO + DAY})
    assert ("ready", LONG_AGO + DAY) == (advanced.status, advanced.frozen_time)
    assert [made.id] == [each.id for each in clocks.list().data]
    assert clocks.delete(made.id).deleted
    assert [] == clocks.list().data


def test_everything_of_its_customer_happens_at_the_frozen_time(api: Api, clock: dict[str, Any]) -> None:
    made = subscribe(api, customer_with(api, test_clock=clock["id"]))
    invoice = api.read(f"invoices/{made['latest_invoice']}")
    charge = api.read("charges", customer=made["customer"])["data"][0]
    refund = api.make("refunds", charge=charge["id"])
    customer = api.read(f"customers/{made['customer']}")
    assert {LONG_AGO} == {each["created"] for each in (customer, made, invoice, charge, refund)}
    assert {clock["id"]} == {each["test_clock"] for each in (customer, made, invoice)}
    assert "customer.subscription.created" == event_types(api, made["id"])[0]


def test_advancing_renews_what_lives_on_the_clock_and_nothing_else(api: Api, clock: dict[str, Any]) -> None:
    plan = price(api)
    ours = subscribe(api, customer_with(api, test_clock=clock["id"]), price=plan)
    theirs = subscribe(api, customer_with(api), price=plan)
    ready = advance(api, clock, period_end(ours) + DAY)
    assert ("ready", period_end(ours) + DAY) == (ready["status"], ready["frozen_time"])
    renewed = api.read(f"subscriptions/{ours['id']}", **{"expand[0]": "latest_invoice"})
    assert ("paid", period_end(ours)) == (renewed["latest_invoice"]["status"], renewed["latest_invoice"]["created"])
    assert theirs == api.read(f"subscriptions/{theirs['id']}")
    # Long ago for us, today for the clock: its events are news.
    assert "invoice.paid" in event_types(api, renewed["latest_invoice"]["id"])


def test_the_sandbox_clock_leaves_what_lives_on_a_test_clock_alone(
    api: Api, sandbox: Sandbox, clock: dict[str, Any]
) -> None:
    made = subscribe(api, customer_with(api, test_clock=clock["id"]))
    sandbox.advance(90 * DAY)
    assert made == api.read(f"subscriptions/{made['id']}")


def test_its_customers_are_listed_only_when_asked_for(api: Api, clock: dict[str, Any]) -> None:
    customer = customer_with(api, email="frozen@example.com", test_clock=clock["id"])
    subscription = subscribe(api, customer)["id"]
    assert [] == api.read("customers", email="frozen@example.com")["data"]
    assert [customer] == [each["id"] for each in api.read("customers", test_clock=clock["id"])["data"]]
    assert subscription not in [each["id"] for each in api.read("subscriptions", limit=100)["data"]]
    assert [subscription] == [each["id"] for each in api.read("subscriptions", customer=customer)["data"]]
    assert [subscription] == [each["id"] for each in api.read("subscriptions", test_clock=clock["id"])["data"]]


def test_deleting_the_clock_deletes_its_customers(api: Api, clock: dict[str, Any]) -> None:
    made = subscribe(api, customer_with(api, test_clock=clock["id"]))
    assert api.delete(f"test_helpers/test_clocks/{clock['id']}").json()["deleted"]
    assert api.read(f"customers/{made['customer']}")["deleted"]
    assert "canceled" == api.read(f"subscriptions/{made['id']}")["status"]
    assert 404 == api.get(f"test_helpers/test_clocks/{clock['id']}").status_code


@pytest.mark.parametrize("to", [LONG_AGO, LONG_AGO - 1, LONG_AGO + 1000 * DAY])
def test_a_clock_goes_forward_and_not_too_far(api: Api, clock: dict[str, Any], to: int) -> None:
    refused = api.post(f"test_helpers/test_clocks/{clock['id']}/advance", frozen_time=to)
    assert (400, None, "frozen_time") == api.error(refused)
    assert clock == api.read(f"test_helpers/test_clocks/{clock['id']}")


def test_a_customer_needs_a_clock_that_exists(api: Api) -> None:
    assert (400, "resource_missing", "test_clock") == api.error(api.post("customers", test_clock="clock_none"))


def test_clocks_and_what_lives_on_them_fit_the_types(api: Api, clock: dict[str, Any]) -> None:
    made = subscribe(api, customer_with(api, test_clock=clock["id"]), trial_period_days=3)
    advance(api, clock, LONG_AGO + 4 * DAY)
    invoice = api.read("invoices", subscription=made["id"])["data"][0]
    seen = [clock, made, api.read(f"customers/{made['customer']}"), invoice]
    assert [] == [line for each in seen for line in misfits(each)]


def test_refunds_of_another_time_are_left_on_their_way(api: Api) -> None:
    theirs = api.payment(2000, card="pm_card_pendingRefund")
    outside = api.make("refunds", charge=theirs["latest_charge"])
    clock = api.make("test_helpers/test_clocks", frozen_time=outside["created"] + DAY)
    customer = customer_with(api, "pm_card_pendingRefund", test_clock=clock["id"])
    charge = api.read("charges", customer=subscribe(api, customer)["customer"])["data"][0]
    inside = api.make("refunds", charge=charge["id"])
    advance(api, clock, outside["created"] + 2 * DAY)
    statuses = [api.read(f"refunds/{each['id']}")["status"] for each in (outside, inside)]
    assert ["pending", "succeeded"] == statuses
