"""Coupons and discounts: what they take off, from what, how long, and what is taxed and credited then."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stripe.resources import coupons, discounts, new_world, subscribing
from sandbox.stripe.resources.periods import add_months
from sandbox.stripe.world import World
from tests.sandbox.billing import Json, draft, opened, paid, someone, vat
from tests.sandbox.conftest import Api
from tests.sandbox.worlds import draft_of, monthly, subscriber


@pytest.fixture
def customer(api: Api) -> str:
    return someone(api)


def coupon(api: Api, **terms: Any) -> Json:
    """`discounts[0]` of a new coupon."""
    return {"discounts[0][coupon]": api.make("coupons", **terms)["id"]}


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({}, (400, "parameter_missing", "percent_off")),
        ({"percent_off": 10, "amount_off": 5, "currency": "usd"}, (400, "parameters_exclusive", "percent_off")),
        ({"percent_off": 0}, (400, None, "percent_off")),
        ({"percent_off": 101}, (400, None, "percent_off")),
        ({"amount_off": 500}, (400, "parameter_missing", "currency")),
        ({"percent_off": 10, "duration": "repeating"}, (400, "parameter_missing", "duration_in_months")),
        ({"percent_off": 10, "duration_in_months": 3}, (400, None, "duration_in_months")),
        ({"percent_off": 10, "duration": "weekly"}, (400, None, "duration")),
    ],
)
def test_unsound_terms_are_refused(api: Api, terms: Json, refusal: tuple[int, str | None, str | None]) -> None:
    assert refusal == api.error(api.post("coupons", **terms))


def test_a_coupon_is_read_renamed_listed_and_deleted(api: Api) -> None:
    made = api.make("coupons", id="SPRING", percent_off="12.5", name="Spring")
    assert ("SPRING", 12.5, "once", True, 0) == tuple(
        made[key] for key in ("id", "percent_off", "duration", "valid", "times_redeemed")
    )
    assert "Early spring" == api.make("coupons/SPRING", name="Early spring")["name"]
    assert "SPRING" == api.read("coupons")["data"][0]["id"]
    assert (400, "resource_already_exists", "id") == api.error(api.post("coupons", id="SPRING", percent_off=5))
    assert {"id": "SPRING", "object": "coupon", "deleted": True} == api.delete("coupons/SPRING").json()
    assert (404, "resource_missing", "id") == api.error(api.get("coupons/SPRING"))


@pytest.mark.parametrize(
    ("terms", "off"),
    [
        ({"percent_off": 25}, 1250),
        ({"percent_off": "33.333"}, 1667),
        ({"percent_off": 100}, 5000),
        ({"amount_off": 700, "currency": "usd"}, 700),
        ({"amount_off": 9000, "currency": "usd"}, 5000),
    ],
)
def test_a_coupon_lowers_an_invoice(api: Api, customer: str, terms: Json, off: int) -> None:
    invoice = opened(api, customer, 3000, 2000, **coupon(api, **terms))
    assert (5000, 5000 - off, 5000 - off) == (invoice["subtotal"], invoice["total"], invoice["amount_due"])
    (total,) = invoice["total_discount_amounts"]
    lines = [each for line in invoice["lines"]["data"] for each in line["discount_amounts"]]
    assert (off, off) == (total["amount"], sum(each["amount"] for each in lines))
    assert {total["discount"]} == {each["discount"] for each in lines} == set(invoice["discounts"])
    assert [3000, 2000] == [line["amount"] for line in invoice["lines"]["data"]]
    assert ("paid" if off == 5000 else "open") == invoice["status"]


@pytest.mark.parametrize(("inclusive", "total", "tax"), [("false", 952, 152), ("true", 800, 128)])
def test_tax_is_on_what_remains(api: Api, customer: str, inclusive: str, total: int, tax: int) -> None:
    invoice = opened(api, customer, 1000, item=vat(api, inclusive), **coupon(api, percent_off=20))
    assert (1000, total, tax) == (invoice["subtotal"], invoice["total"], invoice["total_taxes"][0]["amount"])
    assert total - tax == invoice["total_excluding_tax"]


def test_several_coupons_apply_one_after_the_other(api: Api, customer: str) -> None:
    first, second = (api.make("coupons", percent_off=50)["id"] for _ in range(2))
    both = {"discounts[0][coupon]": first, "discounts[1][coupon]": second}
    invoice = opened(api, customer, 1000, **both)
    assert [500, 250] == [each["amount"] for each in invoice["total_discount_amounts"]]
    assert 250 == invoice["total"]
    twice = {"discounts[0][coupon]": first, "discounts[1][coupon]": first}
    assert (400, None, "discounts[1]") == api.error(api.post("invoices", customer=customer, **twice))


def test_a_discount_shows_its_coupon_when_asked(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 1000, **coupon(api, percent_off=50, id="HALF"))
    (shown,) = api.read(f"invoices/{invoice['id']}", **{"expand[0]": "discounts.source.coupon"})["discounts"]
    assert ("HALF", invoice["id"], customer) == (shown["source"]["coupon"]["id"], shown["invoice"], shown["customer"])
    assert 1 == shown["source"]["coupon"]["times_redeemed"]
    plain = api.read(f"invoices/{invoice['id']}", **{"expand[0]": "discounts"})["discounts"]
    assert "HALF" == plain[0]["source"]["coupon"]


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"percent_off": 10, "redeem_by": 1_000_000_000}, "coupon_expired"),
        ({"amount_off": 100, "currency": "eur"}, None),
    ],
)
def test_what_cannot_be_redeemed_is_refused_before_an_invoice_exists(
    api: Api, customer: str, terms: Json, code: str | None
) -> None:
    refused = api.post("invoices", customer=customer, **coupon(api, **terms))
    assert (400, code, "discounts[0][coupon]") == api.error(refused)
    assert [] == api.read("invoices", customer=customer)["data"]
    unknown = api.post("invoices", customer=customer, **{"discounts[0][coupon]": "NONE"})
    assert (400, "resource_missing", "discounts[0][coupon]") == api.error(unknown)


def test_a_coupon_is_redeemed_no_more_often_than_it_says(api: Api, customer: str) -> None:
    form = coupon(api, percent_off=10, max_redemptions=1)
    draft(api, customer, 1000, **form)
    assert (400, "coupon_expired", "discounts[0][coupon]") == api.error(api.post("invoices", customer=customer, **form))
    assert not api.read("coupons")["data"][0]["valid"]


def test_a_draft_takes_other_discounts_and_none(api: Api, customer: str) -> None:
    invoice = draft(api, customer, 1000, **coupon(api, percent_off=10))
    path = f"invoices/{invoice['id']}"
    assert 500 == api.make(path, **coupon(api, percent_off=50))["total"]
    cleared = api.make(path, discounts="")
    assert (1000, [], []) == (cleared["total"], cleared["discounts"], cleared["total_discount_amounts"])
    api.make(f"{path}/finalize")
    refused = api.post(path, **coupon(api, percent_off=10))
    assert (400, "invoice_not_editable", "discounts") == api.error(refused)


def test_a_deleted_coupon_keeps_discounting_who_has_it(api: Api, customer: str) -> None:
    invoice = draft(api, customer, 1000, **coupon(api, percent_off=10, id="GONE"))
    api.delete("coupons/GONE")
    assert 900 == api.make(f"invoices/{invoice['id']}/finalize")["total"]


def test_crediting_a_discounted_line_gives_back_what_it_cost(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 1000, item=vat(api), **coupon(api, percent_off=20))
    line = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": invoice["lines"]["data"][0]["id"]}
    note = api.make("credit_notes", invoice=invoice["id"], refund_amount=476, **line, **{"lines[0][amount]": 500})
    assert (500, 100, 476) == (note["subtotal"], note["discount_amount"], note["total"])
    assert 76 == note["total_taxes"][0]["amount"]


@pytest.fixture
def price(api: Api) -> str:
    product = api.make("products", name="Desk")["id"]
    form = {"product": product, "currency": "usd", "unit_amount": 2000, "recurring[interval]": "month"}
    made: str = api.make("prices", **form)["id"]
    return made


def test_a_subscription_is_billed_with_its_discount(api: Api, customer: str, price: str) -> None:
    made = api.make(
        "subscriptions",
        customer=customer,
        **{"items[0][price]": price},
        **coupon(api, percent_off=50, duration="repeating", duration_in_months=3),
    )
    (shown,) = api.read(f"subscriptions/{made['id']}", **{"expand[0]": "discounts"})["discounts"]
    assert add_months(shown["start"], 3) == shown["end"]
    assert made["id"] == shown["subscription"]
    assert 1000 == api.read(f"invoices/{made['latest_invoice']}")["amount_paid"]


def test_a_subscription_changes_and_loses_its_discount(api: Api, customer: str, price: str) -> None:
    forever = coupon(api, percent_off=50, duration="forever")
    path = (
        f"subscriptions/{api.make('subscriptions', customer=customer, **{'items[0][price]': price}, **forever)['id']}"
    )
    first = api.read(path)["discounts"]
    second = api.make(path, **coupon(api, percent_off=10, duration="forever"))["discounts"]
    assert first != second
    assert second == api.make(path, description="kept")["discounts"]
    assert second == api.make(path, **{"discounts[0][discount]": second[0]})["discounts"]
    gone = api.delete(f"{path}/discount").json()
    assert {"id": second[0], "object": "discount", "deleted": True} == gone
    assert [] == api.read(path)["discounts"]
    assert (404, "resource_missing", None) == api.error(api.delete(f"{path}/discount"))
    kinds = [each["type"] for each in api.read("events", limit=100)["data"]]
    assert (2, 2) == (kinds.count("customer.discount.created"), kinds.count("customer.discount.deleted"))


def test_no_customer_has_a_discount_of_their_own(api: Api, customer: str) -> None:
    assert (404, "resource_missing", None) == api.error(api.delete(f"customers/{customer}/discount"))


def test_a_refused_change_redeems_nothing(api: Api, customer: str, price: str) -> None:
    made = api.make("subscriptions", customer=customer, **{"items[0][price]": price})
    form = coupon(api, percent_off=50, id="HALF")
    refused = api.post(f"subscriptions/{made['id']}", **form, **{"items[0][price]": "price_none"})
    assert (400, "resource_missing", "items[0][price]") == api.error(refused)
    assert 0 == api.read("coupons/HALF")["times_redeemed"]


@pytest.mark.parametrize(
    ("duration", "months", "totals"),
    [
        ("once", None, [1000, 2000, 2000, 2000]),
        ("repeating", 2, [1000, 1000, 2000, 2000]),
        ("forever", None, [1000, 1000, 1000, 1000]),
    ],
)
def test_a_discount_ends_after_its_months(duration: str, months: int | None, totals: list[int]) -> None:
    world = new_world()
    half = coupons.create_coupon(world, percent_off=50.0, duration=duration, duration_in_months=months)
    subscription = subscriber(world, monthly(world, 2000), reductions=[half])
    found = [billed(world, subscription)]
    for _ in range(3):
        with world.clock.at(subscribing.period_of(subscription)[1]):
            subscribing.renew(world, subscription)
        found.append(billed(world, subscription))
    assert totals == found
    assert (duration == "forever") == bool(subscription["discounts"])


def billed(world: World, subscription: Json) -> int:
    return int(world.get("invoice", subscription["latest_invoice"])["total"])


def test_a_one_time_discount_waits_for_the_end_of_a_free_trial() -> None:
    world = new_world()
    half = coupons.create_coupon(world, percent_off=50.0)
    subscription = subscriber(world, monthly(world, 2000), reductions=[half], trial_days=14)
    assert (0, 1) == (billed(world, subscription), len(subscription["discounts"]))
    with world.clock.at(subscribing.period_of(subscription)[1]):
        subscribing.renew(world, subscription)
    assert (1000, []) == (billed(world, subscription), subscription["discounts"])


@pytest.mark.parametrize("duration", ["once", "forever"])
def test_unused_time_is_credited_at_what_it_cost(duration: str) -> None:
    """Somebody who paid half gets back half: a cancellation must not make money."""
    world = new_world()
    half = coupons.create_coupon(world, percent_off=50.0, duration=duration)
    subscription = subscriber(world, monthly(world, 2000), reductions=[half])
    start, end = subscribing.period_of(subscription)
    with world.clock.at((start + end) // 2):
        subscribing.prorate(world, subscription, subscription["items"]["data"][0], sign=-1)
    assert [-500] == [each["amount"] for each in world.all("invoiceitem")]


@settings(max_examples=80, deadline=None)
@given(
    amounts=st.lists(st.integers(1, 99_999), min_size=1, max_size=6),
    terms=st.lists(
        st.one_of(
            st.floats(0.01, 100).map(lambda value: {"percent_off": round(value, 2)}),
            st.integers(1, 200_000).map(lambda value: {"amount_off": value, "currency": "usd"}),
        ),
        max_size=3,
    ),
)
def test_discounts_add_up_to_the_unit_and_never_go_below_nothing(amounts: list[int], terms: list[Json]) -> None:
    world = new_world()
    reductions = [coupons.create_coupon(world, **each) for each in terms]
    invoice = draft_of(world, *amounts, reductions=reductions)
    lines = [discounts.net(line) for line in invoice["_lines"]]
    assert min(lines) >= 0
    assert invoice["total"] == sum(lines)
    assert invoice["subtotal"] - invoice["total"] == sum(each["amount"] for each in invoice["total_discount_amounts"])
