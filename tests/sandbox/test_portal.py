"""The billing portal: sessions that are checked, and a page on which people really change things."""

from typing import Any

import httpx
import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.plans import customer_with, event_types, price, subscribe
from tests.sandbox.shapes import misfits

SUBSCRIPTION = "flow_data[{0}][subscription]"


@pytest.fixture
def subscription(api: Api) -> dict[str, Any]:
    return subscribe(api, customer_with(api, name="Ada <b>Byron</b>", email="ada.portal@example.com"))


def open_portal(api: Api, subscription: dict[str, Any], flow: str | None = None, **form: Any) -> dict[str, Any]:
    if flow:
        form["flow_data[type]"] = flow
    if flow and flow != "payment_method_update":
        form[SUBSCRIPTION.format(flow)] = subscription["id"]
    return api.make("billing_portal/sessions", customer=subscription["customer"], **form)


def press(api: Api, session: dict[str, Any], act: str, **form: Any) -> httpx.Response:
    return api.http.post(f"{session['url']}/{act}", data=form)


def read(api: Api, session: dict[str, Any]) -> str:
    answer = api.http.get(session["url"])
    assert 200 == answer.status_code
    return answer.text


def test_the_sdk_opens_a_session_with_an_unguessable_link(client: stripe.StripeClient, api: Api) -> None:
    customer = customer_with(api)
    made = [
        client.v1.billing_portal.sessions.create({"customer": customer, "return_url": "https://shop.example/a"})
        for _ in range(2)
    ]
    assert made[0].url != made[1].url
    assert made[0].id not in made[0].url
    assert "https://shop.example/a" == made[0].return_url
    (configuration,) = client.v1.billing_portal.configurations.list().data
    assert (True, configuration.id) == (configuration.is_default, made[0].configuration)


def test_the_page_shows_card_plans_and_invoices_and_escapes_names(api: Api, subscription: dict[str, Any]) -> None:
    shown = read(api, open_portal(api, subscription, return_url='https://shop.example/"><script>'))
    for expected in ("Visa •••• 4242", "2 × Desk", "Renews on", "ada.portal@example.com", "simulated Stripe"):
        assert expected in shown
    assert "Ada &lt;b&gt;Byron" in shown
    assert "<script" not in shown


def test_changing_the_card_changes_who_is_charged(api: Api, subscription: dict[str, Any]) -> None:
    session = open_portal(api, subscription, "payment_method_update")
    assert 303 == press(api, session, "card", card="pm_card_mastercard").status_code
    customer = api.read(f"customers/{subscription['customer']}")
    method = api.read(f"payment_methods/{customer['invoice_settings']['default_payment_method']}")
    assert ("mastercard", customer["id"]) == (method["card"]["brand"], method["customer"])
    assert "payment_method.attached" in event_types(api, method["id"])
    assert "customer.updated" == event_types(api, customer["id"])[-1]
    assert "Mastercard •••• 4444" in read(api, session)


def test_a_subscription_with_a_card_of_its_own_follows(api: Api) -> None:
    customer = api.make("customers")["id"]
    own = api.make("payment_methods/pm_card_visa/attach", customer=customer)["id"]
    made = subscribe(api, customer, default_payment_method=own)
    press(api, open_portal(api, made), "card", card="pm_card_amex")
    chosen = api.read(f"subscriptions/{made['id']}", **{"expand[0]": "default_payment_method"})
    assert "amex" == chosen["default_payment_method"]["card"]["brand"]


def test_cancelling_and_keeping_are_what_the_api_does(api: Api, subscription: dict[str, Any]) -> None:
    session = open_portal(api, subscription, "subscription_cancel")
    press(api, session, "cancel", subscription=subscription["id"], feedback="unused")
    ending = api.read(f"subscriptions/{subscription['id']}")
    assert (True, "active", "unused", "cancellation_requested") == (
        ending["cancel_at_period_end"],
        ending["status"],
        ending["cancellation_details"]["feedback"],
        ending["cancellation_details"]["reason"],
    )
    press(api, open_portal(api, subscription), "keep", subscription=subscription["id"])
    assert not api.read(f"subscriptions/{subscription['id']}")["cancel_at_period_end"]
    assert 2 == event_types(api, subscription["id"]).count("customer.subscription.updated")


def test_seats_are_changed_with_proration(api: Api, subscription: dict[str, Any]) -> None:
    session = open_portal(api, subscription, "subscription_update")
    press(api, session, "update", subscription=subscription["id"], quantity="5")
    assert 5 == api.read(f"subscriptions/{subscription['id']}")["items"]["data"][0]["quantity"]
    assert 2 == len(api.read("invoiceitems", customer=subscription["customer"], pending="true")["data"])
    refused = press(api, session, "update", subscription=subscription["id"], quantity="-1")
    assert refused.headers["location"].endswith("?said=refused")


def test_a_prepared_change_is_confirmed_and_leads_back_to_the_shop(api: Api, subscription: dict[str, Any]) -> None:
    item = subscription["items"]["data"][0]["id"]
    flow = "flow_data[subscription_update_confirm]"
    form = {
        f"{flow}[items][0][id]": item,
        f"{flow}[items][0][price]": price(api, 3000, name="Big desk"),
        f"{flow}[items][0][quantity]": 1,
        "flow_data[after_completion][type]": "redirect",
        "flow_data[after_completion][redirect][return_url]": "https://shop.example/done",
    }
    session = open_portal(api, subscription, "subscription_update_confirm", **form)
    assert "1 × Big desk" in read(api, session)
    assert "https://shop.example/done" == press(api, session, "confirm").headers["location"]
    changed = api.read(f"subscriptions/{subscription['id']}")["items"]["data"][0]
    assert (3000, 1) == (changed["price"]["unit_amount"], changed["quantity"])
    assert [] == misfits(session)


def test_a_form_cannot_reach_somebody_else(api: Api, subscription: dict[str, Any]) -> None:
    other = subscribe(api, customer_with(api))
    refused = press(api, open_portal(api, subscription), "cancel", subscription=other["id"])
    assert refused.headers["location"].endswith("?said=refused")
    assert other == api.read(f"subscriptions/{other['id']}")


def test_a_link_lives_for_an_hour(api: Api, sandbox: Sandbox, subscription: dict[str, Any]) -> None:
    session = open_portal(api, subscription)
    sandbox.advance(3601)
    assert 404 == api.http.get(session["url"]).status_code
    assert 404 == press(api, session, "cancel", subscription=subscription["id"]).status_code
    assert 404 == api.http.get("/_sandbox/portal/guessed").status_code
    assert not api.read(f"subscriptions/{subscription['id']}")["cancel_at_period_end"]


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"flow_data[type]": "dance"}, (400, None, "flow_data[type]")),
        ({"flow_data[type]": "subscription_cancel"}, (400, "parameter_missing", "flow_data[subscription_cancel]")),
        (
            {"flow_data[type]": "subscription_cancel", SUBSCRIPTION.format("subscription_cancel"): "sub_none"},
            (400, "resource_missing", SUBSCRIPTION.format("subscription_cancel")),
        ),
        (
            {"flow_data[type]": "payment_method_update", SUBSCRIPTION.format("subscription_cancel"): "sub_none"},
            (400, None, "flow_data[subscription_cancel]"),
        ),
        (
            {"flow_data[type]": "payment_method_update", "flow_data[after_completion][type]": "redirect"},
            (400, "parameter_missing", "flow_data[after_completion][redirect]"),
        ),
        ({"return_url": "javascript:alert(1)"}, (400, "url_invalid", "return_url")),
        ({"configuration": "bpc_none"}, (400, "resource_missing", "configuration")),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(
    api: Api, form: dict[str, str], refusal: tuple[int, str | None, str]
) -> None:
    customer = customer_with(api)
    assert refusal == api.error(api.post("billing_portal/sessions", customer=customer, **form))


def test_flows_are_for_the_customers_own_and_running_subscriptions(api: Api, subscription: dict[str, Any]) -> None:
    param = SUBSCRIPTION.format("subscription_cancel")
    form = {"flow_data[type]": "subscription_cancel", param: subscription["id"]}
    stranger = api.post("billing_portal/sessions", customer=customer_with(api), **form)
    assert (400, None, param) == api.error(stranger)
    api.make(f"subscriptions/{subscription['id']}", cancel_at_period_end="true")
    ending = api.post("billing_portal/sessions", customer=subscription["customer"], **form)
    assert (400, None, param) == api.error(ending)


def test_sessions_and_configurations_fit_the_types(api: Api, subscription: dict[str, Any]) -> None:
    seen = [
        open_portal(api, subscription),
        open_portal(api, subscription, "subscription_cancel"),
        open_portal(api, subscription, "payment_method_update"),
        api.make("billing_portal/configurations", **{"features[invoice_history][enabled]": "true"}),
        *api.read("billing_portal/configurations")["data"],
    ]
    assert [] == [line for each in seen for line in misfits(each)]
