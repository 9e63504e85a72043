"""`create_preview`: the invoice that would come is the invoice that comes."""

from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stripe import money, timeline
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import catalog, changing, customers, payment_methods, previewing, subscribing
from sandbox.stripe.resources import new_world as empty_world
from sandbox.stripe.resources.coupons import create_coupon
from sandbox.stripe.world import Clock, World
from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.plans import DAY, customer_with, period_end, price, set_card, subscribe
from tests.sandbox.shapes import misfits

START = 1_800_000_000
COMPARED = ("subtotal", "total", "amount_due", "starting_balance", "billing_reason", "created", "currency")


def preview(api: Api, **form: Any) -> dict[str, Any]:
    return api.make("invoices/create_preview", **form)


@pytest.fixture
def subscription(api: Api) -> dict[str, Any]:
    return subscribe(api, customer_with(api))


def test_the_next_renewal_is_previewed_through_the_sdk(client: stripe.StripeClient, api: Api) -> None:
    made = subscribe(api, customer_with(api))
    upcoming = client.v1.invoices.create_preview({"subscription": made["id"]})
    assert (2000, "draft", period_end(made)) == (upcoming.total, upcoming.status, upcoming.created)
    by_customer = client.v1.invoices.create_preview({"customer": made["customer"]})
    assert upcoming.total == by_customer.total
    assert [] == misfits(preview(api, subscription=made["id"]))


def test_a_preview_leaves_nothing_behind(api: Api, subscription: dict[str, Any]) -> None:
    def everything() -> list[Any]:
        lists = [
            api.read(path, limit=100) for path in ("events", "invoiceitems", "invoices", "subscriptions", "customers")
        ]
        return [*lists, api.read("payment_intents", customer=subscription["customer"])]

    before = everything()
    item = subscription["items"]["data"][0]["id"]
    details = {
        "subscription_details[items][0][id]": item,
        "subscription_details[items][0][quantity]": 9,
        "subscription_details[proration_behavior]": "always_invoice",
    }
    preview(api, subscription=subscription["id"], **details)
    preview(api, subscription=subscription["id"], **{"subscription_details[cancel_now]": "true"})
    assert before == everything()


def test_the_price_of_more_seats_is_known_before(api: Api, sandbox: Sandbox, subscription: dict[str, Any]) -> None:
    sandbox.advance(10 * DAY)
    item, now = subscription["items"]["data"][0]["id"], subscription["created"] + 10 * DAY
    form = {"items[0][id]": item, "items[0][quantity]": 5, "proration_date": now}
    details = {
        "subscription_details[items][0][id]": item,
        "subscription_details[items][0][quantity]": 5,
        "subscription_details[proration_date]": now,
        "subscription_details[proration_behavior]": "always_invoice",
    }
    shown = preview(api, subscription=subscription["id"], **details)
    changed = api.make(f"subscriptions/{subscription['id']}", proration_behavior="always_invoice", **form)
    came = api.read(f"invoices/{changed['latest_invoice']}")
    assert (shown["total"], shown["amount_due"]) == (came["total"], came["amount_paid"])
    assert [line["amount"] for line in shown["lines"]["data"]] == [line["amount"] for line in came["lines"]["data"]]


def test_cancelling_now_shows_the_credit_and_at_the_end_shows_nothing(api: Api, subscription: dict[str, Any]) -> None:
    now = preview(api, subscription=subscription["id"], **{"subscription_details[cancel_now]": "true"})
    assert -2000 == now["total"]
    for details in ({"cancel_at_period_end": "true"}, {"cancel_now": "true", "proration_behavior": "none"}):
        form = {f"subscription_details[{name}]": value for name, value in details.items()}
        refused = api.post("invoices/create_preview", subscription=subscription["id"], **form)
        assert (404, "invoice_upcoming_none", None) == api.error(refused)


def test_a_subscription_that_is_not_there_yet_is_previewed(api: Api) -> None:
    customer = customer_with(api)
    details = {"subscription_details[items][0][price]": price(api, 1500), "subscription_details[items][0][quantity]": 3}
    assert 4500 == preview(api, customer=customer, **details)["total"]
    assert [] == api.read("subscriptions", customer=customer)["data"]


def test_waiting_items_and_credit_are_counted(api: Api, subscription: dict[str, Any]) -> None:
    customer = subscription["customer"]
    api.make("invoiceitems", customer=customer, amount=700, currency="usd", description="Set-up")
    api.make(f"customers/{customer}/balance_transactions", amount=-500, currency="usd")
    extra = {"invoice_items[0][amount]": 300, "invoice_items[0][description]": "Training"}
    shown = preview(api, customer=customer, **extra)
    assert (3000, 2500) == (shown["total"], shown["amount_due"])


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({}, (400, "parameter_missing", "customer")),
        ({"customer": "cus_none"}, (400, "resource_missing", "customer")),
        ({"subscription": "sub_none"}, (400, "resource_missing", "subscription")),
        ({"schedule": "x"}, (400, "parameter_unknown", "schedule")),
    ],
)
def test_what_cannot_be_previewed(api: Api, form: dict[str, str], refusal: tuple[int, str, str]) -> None:
    assert refusal == api.error(api.post("invoices/create_preview", **form))


def test_an_ended_subscription_has_no_upcoming_invoice(api: Api, subscription: dict[str, Any]) -> None:
    api.delete(f"subscriptions/{subscription['id']}")
    refused = api.post("invoices/create_preview", subscription=subscription["id"])
    assert (404, "invoice_upcoming_none", None) == api.error(refused)


def test_a_card_that_would_decline_does_not_change_the_preview(api: Api, subscription: dict[str, Any]) -> None:
    set_card(api, subscription["customer"], "pm_card_chargeCustomerFail")
    assert 2000 == preview(api, subscription=subscription["id"])["amount_due"]


def test_a_coupon_can_be_tried_out_before_it_is_given(api: Api, subscription: dict[str, Any]) -> None:
    half = api.make("coupons", percent_off=50, duration="once")["id"]
    tried = {"discounts[0][coupon]": half}
    assert 1000 == preview(api, subscription=subscription["id"], **tried)["total"]
    fresh = {"subscription_details[items][0][price]": price(api, 1500)}
    assert 750 == preview(api, customer=customer_with(api), **fresh, **tried)["total"]
    assert 2000 == preview(api, subscription=subscription["id"])["total"]
    assert 0 == api.read(f"coupons/{half}")["times_redeemed"]


def small_world(terms: Json) -> tuple[World, Json, list[Json]]:
    """One customer with a card and 3 seats, tax and perhaps a coupon; and prices to change to."""
    world = empty_world(clock=Clock(wall=lambda: START))
    customer = customers.create_customer(world, {"name": "Ada"})
    method = payment_methods.attach(world, payment_methods.card(world, "pm_card_visa"), customer)
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    product = catalog.create_product(world, "Desk")
    tax = catalog.create_tax_rate(world, 19.0, "VAT", inclusive=terms["inclusive"])["id"]
    code, unit = terms["currency"], money.step(terms["currency"])
    amounts = [(1007, "month"), (2999, "month"), (333, "month"), (9999, "year")]
    prices = [catalog.create_price(world, product, each * unit, code, interval=every) for each, every in amounts]
    wanted = [{"price": prices[0], "quantity": 3, "tax_rates": [tax]}]
    coupons = [coupon(world, code, terms["off"])] if terms["off"] else []
    return world, subscribing.create_subscription(world, customer, wanted, reductions=coupons), prices


def coupon(world: World, code: str, off: Json) -> Json:
    amount = {"amount_off": off["amount_off"] * money.step(code), "currency": code} if "amount_off" in off else {}
    return create_coupon(world, **off | amount)


TERMS = st.fixed_dictionaries(
    {
        "currency": st.sampled_from(["usd", "jpy", "kwd", "isk"]),
        "inclusive": st.booleans(),
        "off": st.sampled_from(
            [
                None,
                {"percent_off": 33.3, "duration": "forever"},
                {"percent_off": 15.0, "duration": "once"},
                {"percent_off": 50.0, "duration": "repeating", "duration_in_months": 2},
                {"amount_off": 777, "duration": "forever"},
                {"amount_off": 5000, "duration": "once"},
            ]
        ),
    }
)
CHANGE = st.fixed_dictionaries(
    {"price": st.integers(0, 3), "quantity": st.integers(1, 9)},
    optional={"proration_behavior": st.sampled_from(["create_prorations", "always_invoice", "none"])},
)


@settings(max_examples=200, deadline=None)
@given(
    terms=TERMS,
    changes=st.lists(CHANGE, min_size=1, max_size=3),
    days=st.integers(0, 20),
    credit=st.sampled_from([0, -501, -50_000, 7]),
    ending=st.sampled_from([{}, {"cancel_at_period_end": True}]),
)
def test_the_preview_and_the_later_invoice_agree_to_the_cent(
    terms: Json, changes: list[Json], days: int, credit: int, ending: Json
) -> None:
    world, subscription, prices = small_world(terms)
    customer = world.get("customer", subscription["customer"])
    for change in changes[:-1]:
        changing.change(world, subscription, form(world, subscription, prices, change))
    world.clock.offset += days * DAY
    timeline.run_due(world)
    if credit:
        customers.adjust_balance(world, customer, credit, terms["currency"])
    last = form(world, subscription, prices, changes[-1]) | ending
    known = set(world.objects["invoice"])
    try:
        shown = previewing.preview(world, {"subscription": subscription["id"], "subscription_details": last})
    except StripeFailure:
        shown = None
    assert known == set(world.objects["invoice"])
    changing.change(world, subscription, last)
    if not set(world.objects["invoice"]) - known:
        world.clock.offset += subscribing.period_of(subscription)[1] - world.now() + 1
        timeline.run_due(world)
    (*_, came) = [None, *(each for name, each in world.objects["invoice"].items() if name not in known)]
    assert (shown and facts(shown)) == (came and facts(came))
    assert [] == [each["id"] for each in world.all("charge") if each["amount"] % money.step(terms["currency"])]


def form(world: World, subscription: Json, prices: list[Json], change: Json) -> Json:
    item = subscription["items"]["data"][0]
    details: Json = {
        "items": [{"id": item["id"], "price": prices[change["price"]]["id"], "quantity": change["quantity"]}]
    }
    return details | {"proration_date": world.now()} | {k: v for k, v in change.items() if k == "proration_behavior"}


def facts(invoice: Json) -> Json:
    """What a customer would be told; the number and the ids come later."""
    lines = [
        (
            line["description"],
            line["amount"],
            line["period"],
            [tax["amount"] for tax in line["taxes"]],
            line["discount_amounts"],
        )
        for line in invoice["_lines"]
    ]
    return {name: invoice[name] for name in COMPARED} | {"lines": lines}
