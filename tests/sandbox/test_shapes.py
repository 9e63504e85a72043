"""What the sandbox answers is what the pinned SDK's types describe, field by field."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.stripe import API_VERSION
from sandbox.stripe.resources import RESOURCES
from tests.fixtures.sandbox import Sandbox
from tests.sandbox.billing import charge_of, opened, paid, pay_part, reported, someone, vat
from tests.sandbox.conftest import Api
from tests.sandbox.plans import customer_with, subscribe
from tests.sandbox.shapes import misfits, validator

MADE_BY_TESTS = {"billing_portal.configuration"}
"""Not part of the demo; its own tests hold it to its type."""
LISTED = [
    resource.path.removeprefix("/v1/")
    for resource in RESOURCES
    if resource.filters is not None and resource.kind not in MADE_BY_TESTS
]


def credit(api: Api) -> None:
    """Notes of every kind: before and after payment, both, linked, void, of lines and taxed."""
    customer = someone(api)
    due, part, done = opened(api, customer, 5000), opened(api, customer, 5000), paid(api, customer, 5000, item=vat(api))
    void = api.make("credit_notes", invoice=due["id"], amount=500)
    api.make(f"credit_notes/{void['id']}/void")
    line = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": due["lines"]["data"][0]["id"]}
    api.make("credit_notes", invoice=due["id"], **line, **{"lines[0][quantity]": 1})
    pay_part(api, part, 2000)
    api.make("credit_notes", invoice=part["id"], amount=4000, refund_amount=400, credit_amount=600)
    linked = api.make("refunds", charge=charge_of(api, done), amount=700)["id"]
    link = {"refunds[0][refund]": linked}
    api.make("credit_notes", invoice=done["id"], amount=1000, out_of_band_amount=300, **link)


def discount(api: Api) -> None:
    """Coupons of each duration, an invoice and a subscription with discounts, and a note about a discounted line."""
    for terms in (
        {"percent_off": "12.5", "duration": "forever", "id": "FRIENDS"},
        {"amount_off": 300, "currency": "usd", "max_redemptions": 5, "redeem_by": 4_000_000_000},
        {"percent_off": 50, "duration": "repeating", "duration_in_months": 3, "name": "Launch"},
    ):
        api.make("coupons", **terms)
    customer = someone(api)
    form = {f"discounts[{place}][coupon]": each["id"] for place, each in enumerate(api.read("coupons")["data"])}
    invoice = paid(api, customer, 5000, item=vat(api), **form)
    line = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": invoice["lines"]["data"][0]["id"]}
    api.make("credit_notes", invoice=invoice["id"], credit_amount=invoice["total"], **line, **{"lines[0][quantity]": 1})
    price = api.make(
        "prices", product=product(api), currency="usd", unit_amount=2000, **{"recurring[interval]": "month"}
    )
    api.make("subscriptions", customer=customer, **{"items[0][price]": price["id"], "discounts[0][coupon]": "FRIENDS"})


def product(api: Api) -> str:
    made: str = api.make("products", name="Desk")["id"]
    return made


def document(api: Api) -> None:
    credit(api)
    discount(api)


def listen(api: Api) -> None:
    api.make("webhook_endpoints", url="http://127.0.0.1:9/hooks", **{"enabled_events[]": "*"})


def record(api: Api) -> None:
    """Money from elsewhere: attached, on its way, failed and canceled."""
    customer = someone(api)
    processor: dict[str, Any] = {"processor_details[type]": "custom"}
    done = reported(api, customer, outcome="guaranteed", **processor)
    api.make(f"invoices/{opened(api, customer, 5000)['id']}/attach_payment", payment_record=done["id"])
    rest: list[dict[str, Any]] = [{}, {"outcome": "failed", "failed[failed_at]": 1}, {"outcome": "canceled"}]
    for form in rest:
        reported(api, customer, **form)


def clock(api: Api) -> None:
    api.make("test_helpers/test_clocks", frozen_time=1_900_000_000)


UNSEEDED: dict[str, Callable[[Api], None]] = {
    "coupons": discount,
    "credit_notes": document,
    "payment_records": record,
    "webhook_endpoints": listen,
    "test_helpers/test_clocks": clock,
}


@pytest.mark.parametrize("path", LISTED)
def test_every_seeded_object_fits_the_type_of_the_sdk(api: Api, path: str) -> None:
    query = {"customer": api.customer("ada@example.com")["id"]} if path == "payment_methods" else {}
    if path in UNSEEDED:
        UNSEEDED[path](api)
    answer = api.read(path, limit=100, **query)
    assert answer["data"]
    assert [] == misfits(answer)
    one = answer["data"][0]
    assert one == api.read(f"{path}/{one['id']}")


@pytest.mark.parametrize(
    ("path", "expand"),
    [
        ("invoices", ["data.payments.data.invoice", "data.customer"]),
        ("invoices", ["data.payments", "data.parent.subscription_details.subscription"]),
        ("invoice_payments", ["data.payment.payment_intent.latest_charge", "data.invoice"]),
        ("charges", ["data.refunds", "data.balance_transaction", "data.customer", "data.payment_intent"]),
        ("customers", ["data.subscriptions", "data.invoice_settings.default_payment_method"]),
        ("refunds", ["data.charge", "data.payment_intent"]),
        ("disputes", ["data.charge"]),
        ("subscriptions", ["data.latest_invoice", "data.customer"]),
        ("invoice_payments", ["data.payment.payment_record"]),
        ("invoices", ["data.amount_paid_off_stripe", "data.payments"]),
        ("invoices", ["data.discounts.source.coupon", "data.lines.data.discounts"]),
        ("invoices", ["data.total_discount_amounts.discount", "data.lines.data.subscription"]),
        ("subscriptions", ["data.discounts.source.coupon"]),
        ("credit_notes", ["data.discount_amounts.discount", "data.customer"]),
        ("credit_notes", ["data.refunds.refund.charge", "data.invoice", "data.customer_balance_transaction"]),
    ],
)
def test_expanded_objects_fit_too(api: Api, path: str, expand: list[str]) -> None:
    document(api)
    record(api)
    answer = api.read(path, limit=100, **{f"expand[{place}]": each for place, each in enumerate(expand)})
    assert answer["data"]
    assert [] == misfits(answer)


@pytest.mark.parametrize("kind", ["invoices", "credit_notes"])
def test_lines_with_what_they_refer_to_fit(api: Api, kind: str) -> None:
    discount(api)
    expand = ["data.discount_amounts.discount", *(["data.pricing.price_details.price"] if kind == "invoices" else [])]
    query = {f"expand[{place}]": each for place, each in enumerate(expand)}
    pages = [api.read(f"{kind}/{each['id']}/lines", limit=100, **query) for each in api.read(kind)["data"]]
    assert any(line["discount_amounts"] for page in pages for line in page["data"])
    assert [] == [line for page in pages for line in misfits(page)]


def test_objects_in_rarer_states_fit(api: Api, sandbox: Sandbox) -> None:
    customer = api.make("customers", email="shape@example.com", phone="+12025550999")
    method = api.make("payment_methods/pm_card_authenticationRequired/attach", customer=customer["id"])
    action = api.make(
        "payment_intents",
        amount=900,
        currency="usd",
        customer=customer["id"],
        payment_method=method["id"],
        confirm="true",
    )
    refused = api.post(
        "payment_intents", amount=900, currency="usd", payment_method="pm_card_chargeDeclined", confirm="true"
    ).json()["error"]
    pending = api.make("refunds", charge=api.payment(card="pm_card_pendingRefund")["latest_charge"])
    failing = api.make("refunds", charge=api.payment(card="pm_card_refundFail")["latest_charge"])
    waiting, canceled = (
        api.make("refunds", charge=api.payment(card="pm_card_refundRequiresAction")["latest_charge"]) for _ in range(2)
    )
    sandbox.advance(61)
    overpaid = opened(api, someone(api), 1000)
    pay_part(api, overpaid, 1500)
    draft = api.make("invoices", customer=customer["id"])
    credit = api.make(f"customers/{customer['id']}/balance_transactions", amount=-500, currency="usd")
    seen: list[dict[str, Any]] = [
        customer,
        method,
        action,
        refused["payment_intent"],
        api.read(f"charges/{refused['charge']}"),
        pending,
        api.read(f"refunds/{failing['id']}"),
        waiting,
        api.make(f"refunds/{canceled['id']}/cancel"),
        api.read(f"invoices/{overpaid['id']}", **{"expand[0]": "amount_paid_off_stripe"}),
        *api.read(f"customers/{overpaid['customer']}/balance_transactions")["data"],
        draft,
        credit,
    ]
    assert "requires_action" == action["status"]
    assert [] == [line for thing in seen for line in misfits(thing)]


def test_subscriptions_in_every_state_fit(api: Api, sandbox: Sandbox) -> None:
    states: dict[str, dict[str, Any]] = {
        "active": {},
        "trialing": {"trial_period_days": 5},
        "incomplete": {"card": "pm_card_chargeCustomerFail"},
    }
    made = {
        status: subscribe(api, customer_with(api, form.pop("card", "pm_card_visa")), **form)
        for status, form in states.items()
    }
    assert list(states) == [each["status"] for each in made.values()]
    paused = api.make(f"subscriptions/{made['active']['id']}/pause")
    sandbox.advance(86_400)
    expired = api.read(f"subscriptions/{made['incomplete']['id']}", **{"expand[0]": "latest_invoice"})
    late = subscribe(api, customer_with(api), collection_method="send_invoice", days_until_due=1)
    sandbox.advance(2 * 86_400)
    late = api.read(f"subscriptions/{late['id']}", **{"expand[0]": "latest_invoice"})
    ended = api.delete(f"subscriptions/{made['trialing']['id']}").json()
    seen = [*made.values(), paused, expired, late, ended]
    assert ["paused", "incomplete_expired", "past_due", "canceled"] == [each["status"] for each in seen[3:]]
    assert [] == [line for each in seen for line in misfits(each)]


def test_events_carry_objects_that_fit(api: Api) -> None:
    events = api.read("events", limit=100)["data"]
    assert [] == [line for event in events for line in misfits(event["data"]["object"])]


def test_the_shapes_refuse_what_the_sdk_does_not_know() -> None:
    """A check that accepts everything would prove nothing."""
    errors = list(validator("refund").iter_errors({"object": "refund", "id": "re_1", "colour": "blue"}))
    assert any("colour" in error.message for error in errors)
    assert any("'amount' is a required property" in error.message for error in errors)


def test_the_sandbox_speaks_the_version_that_the_sdk_pins() -> None:
    assert stripe.api_version == API_VERSION
