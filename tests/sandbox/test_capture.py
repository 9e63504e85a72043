"""PaymentIntents that are authorised first and captured later, or never."""

from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.plans import DAY, customer_with, event_types
from tests.sandbox.shapes import misfits


def authorise(api: Api, **form: Any) -> dict[str, Any]:
    wanted = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"} | form
    return api.make("payment_intents", capture_method="manual", **wanted)


def test_an_authorisation_holds_the_money_and_takes_none(api: Api) -> None:
    intent = authorise(api)
    charge = api.read(f"charges/{intent['latest_charge']}")
    assert ("requires_capture", 2000, 0) == tuple(
        intent[key] for key in ("status", "amount_capturable", "amount_received")
    )
    assert (False, 0, None) == (charge["captured"], charge["amount_captured"], charge["balance_transaction"])
    assert charge["created"] + 7 * DAY == charge["payment_method_details"]["card"]["capture_before"]
    refused = api.post("refunds", charge=charge["id"])
    assert (400, "charge_not_refundable", None) == api.error(refused)
    assert [] == misfits(intent) + misfits(charge)


@pytest.mark.parametrize(("wanted", "taken"), [({}, 2000), ({"amount_to_capture": 1500}, 1500)])
def test_all_or_a_part_is_captured_and_only_that_can_be_refunded(api: Api, wanted: dict[str, int], taken: int) -> None:
    intent = authorise(api)
    captured = api.make(f"payment_intents/{intent['id']}/capture", **wanted)
    charge = api.read(f"charges/{intent['latest_charge']}", **{"expand[0]": "balance_transaction"})
    assert ("succeeded", taken, 0) == tuple(captured[key] for key in ("status", "amount_received", "amount_capturable"))
    assert (True, taken, taken) == (
        charge["captured"],
        charge["amount_captured"],
        charge["balance_transaction"]["amount"],
    )
    assert taken == api.make("refunds", payment_intent=intent["id"])["amount"]
    assert ["charge.succeeded", "charge.captured"] == event_types(api, charge["id"])[:2]


def test_more_than_is_authorised_is_refused_and_twice_as_well(api: Api) -> None:
    intent = authorise(api)
    path = f"payment_intents/{intent['id']}/capture"
    assert (400, "amount_too_large", "amount_to_capture") == api.error(api.post(path, amount_to_capture=2001))
    assert "requires_capture" == api.read(f"payment_intents/{intent['id']}")["status"]
    api.make(path)
    assert (400, "payment_intent_unexpected_state", None) == api.error(api.post(path))


def test_a_charge_is_captured_by_its_own_name_too(api: Api) -> None:
    intent = authorise(api)
    path = f"charges/{intent['latest_charge']}/capture"
    captured = api.make(path, amount=1200)
    assert (True, 1200) == (captured["captured"], captured["amount_captured"])
    assert ("succeeded", 1200) == tuple(
        api.read(f"payment_intents/{intent['id']}")[key] for key in ("status", "amount_received")
    )
    assert (400, "charge_already_captured", None) == api.error(api.post(path))


def test_a_cancelled_authorisation_drops_off(api: Api) -> None:
    intent = authorise(api)
    cancelled = api.make(f"payment_intents/{intent['id']}/cancel", cancellation_reason="duplicate")
    charge = api.read(f"charges/{intent['latest_charge']}")
    assert ("canceled", 0) == (cancelled["status"], cancelled["amount_capturable"])
    assert (False, 0, True) == (charge["captured"], charge["amount_captured"], charge["refunded"])


def test_an_authorisation_that_nobody_captures_drops_off_after_a_week(api: Api, sandbox: Sandbox) -> None:
    intent = authorise(api)
    sandbox.advance(7 * DAY + 1)
    late = api.read(f"payment_intents/{intent['id']}")
    assert ("canceled", "automatic", intent["created"] + 7 * DAY) == tuple(
        late[key] for key in ("status", "cancellation_reason", "canceled_at")
    )
    assert "charge.expired" == event_types(api, intent["latest_charge"])[-1]
    assert [] == misfits(late)


def test_the_amount_changes_only_before_confirming(api: Api) -> None:
    intent = api.make("payment_intents", amount=2000, currency="usd", customer=customer_with(api))
    path = f"payment_intents/{intent['id']}"
    changed = api.make(path, amount=2500, payment_method="pm_card_visa")
    assert (2500, "requires_confirmation") == (changed["amount"], changed["status"])
    assert (400, "amount_too_small", "amount") == api.error(api.post(path, amount=1))
    assert 2500 == api.make(f"{path}/confirm")["amount_received"]
    assert (400, "payment_intent_unexpected_state", None) == api.error(api.post(path, amount=100))
    assert "kept" == api.make(path, description="kept")["description"]


def test_intents_are_found_by_customer_and_by_search(api: Api) -> None:
    customer = customer_with(api)
    intent = authorise(api, customer=customer, payment_method="pm_card_visa", **{"metadata[order]": "o1"})
    assert [intent["id"]] == [each["id"] for each in api.read("payment_intents", customer=customer)["data"]]
    found = api.read("payment_intents/search", query="metadata['order']:'o1' AND status:'requires_capture'")
    assert [intent["id"]] == [each["id"] for each in found["data"]]


def test_a_card_that_wants_its_owner_is_declined_without_them(api: Api) -> None:
    form: dict[str, Any] = {
        "amount": 900,
        "currency": "usd",
        "payment_method": "pm_card_authenticationRequired",
        "confirm": "true",
    }
    assert "requires_action" == api.make("payment_intents", **form)["status"]
    refused = api.post("payment_intents", off_session="true", **form)
    assert (402, "authentication_required", None) == api.error(refused)
