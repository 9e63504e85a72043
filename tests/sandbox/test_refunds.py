"""Stripe's refund rules, with the exact codes and params that our adapter maps."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.resources import new_world, payment_intents, payment_methods, refunds
from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api

Json = dict[str, Any]
Refusal = tuple[int, str | None, str | None]


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({}, (400, "parameter_missing", "charge")),
        ({"charge": "ch_none"}, (400, "resource_missing", "charge")),
        ({"payment_intent": "pi_none"}, (400, "resource_missing", "payment_intent")),
        ({"charge": "ch_none", "payment_intent": "pi_none"}, (400, "parameters_exclusive", "charge")),
        ({"charge": "ch_none", "amount": "1.5"}, (400, "parameter_invalid_integer", "amount")),
        ({"charge": "ch_none", "reason": "regret"}, (400, None, "reason")),
        ({"charge": "ch_none", "note": "x"}, (400, "parameter_unknown", "note")),
    ],
)
def test_a_refund_needs_one_existing_target_and_sound_parameters(
    api: Api, form: dict[str, str], refusal: Refusal
) -> None:
    assert refusal == api.error(api.post("refunds", **form))


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        (2001, (400, None, "amount")),
        (0, (400, "parameter_invalid_integer", "amount")),
        (-1, (400, "parameter_invalid_integer", "amount")),
    ],
)
def test_an_amount_outside_the_charge_is_refused(api: Api, amount: int, refusal: Refusal) -> None:
    charge = api.payment(2000)["latest_charge"]
    assert refusal == api.error(api.post("refunds", charge=charge, amount=amount))
    assert 0 == api.read(f"charges/{charge}")["amount_refunded"]


def no_target(_api: Api, _sandbox: Sandbox) -> Json:
    return {}


def two_targets(api: Api, _sandbox: Sandbox) -> Json:
    intent = api.payment()
    return {"charge": intent["latest_charge"], "payment_intent": intent["id"]}


def unknown_charge(_api: Api, _sandbox: Sandbox) -> Json:
    return {"charge": "ch_none"}


def unknown_intent(_api: Api, _sandbox: Sandbox) -> Json:
    return {"payment_intent": "pi_none"}


def waiting_intent(api: Api, _sandbox: Sandbox) -> Json:
    return {"payment_intent": api.make("payment_intents", amount=2000, currency="usd")["id"]}


def declined_charge(api: Api, _sandbox: Sandbox) -> Json:
    form: Json = {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": "true"}
    return {"charge": api.post("payment_intents", **form).json()["error"]["charge"]}


def disputed_after_refund(api: Api, sandbox: Sandbox) -> Json:
    charge = refunded(api, sandbox)["charge"]
    sandbox.open_dispute(charge)
    return {"charge": charge}


def refunded(api: Api, _sandbox: Sandbox) -> Json:
    charge = api.payment()["latest_charge"]
    api.make("refunds", charge=charge)
    return {"charge": charge}


def of(amount: int, currency: str) -> Callable[[Api, Sandbox], Json]:
    return lambda api, _sandbox: {"charge": api.payment(amount, currency)["latest_charge"]}


@pytest.mark.parametrize(
    ("target", "form", "refusal"),
    [
        (no_target, {"amount": 0, "colour": "red"}, (400, "parameter_unknown", "colour")),
        (no_target, {"amount": "1.5", "reason": "regret"}, (400, "parameter_invalid_integer", "amount")),
        (no_target, {"amount": 0, "reason": "regret"}, (400, None, "reason")),
        (no_target, {"amount": 0}, (400, "parameter_missing", "charge")),
        (two_targets, {"amount": 0}, (400, "parameters_exclusive", "charge")),
        (unknown_charge, {"amount": 0}, (400, "resource_missing", "charge")),
        (unknown_intent, {"amount": 0}, (400, "resource_missing", "payment_intent")),
        (waiting_intent, {"amount": 0}, (400, "payment_intent_unexpected_state", "payment_intent")),
        (declined_charge, {"amount": 0}, (400, "charge_not_refundable", None)),
        (of(2000, "usd"), {"reverse_transfer": "true", "amount": 9999}, (400, None, "reverse_transfer")),
        (disputed_after_refund, {"amount": 9999}, (400, "charge_disputed", None)),
        (refunded, {"amount": 9999}, (400, "charge_already_refunded", None)),
        (refunded, {"amount": 0}, (400, "charge_already_refunded", None)),
        (of(5000, "kwd"), {"amount": 5001}, (400, None, "amount")),
        (of(5000, "kwd"), {"amount": 0}, (400, "parameter_invalid_integer", "amount")),
        (of(5000, "kwd"), {"amount": 1234}, (400, "parameter_invalid_integer", "amount")),
        (of(20_000, "isk"), {"amount": 150}, (400, "parameter_invalid_integer", "amount")),
        (of(20_000, "ugx"), {"amount": 150}, (400, "parameter_invalid_integer", "amount")),
    ],
)
def test_the_rules_hold_in_stripes_order(
    api: Api, sandbox: Sandbox, target: Callable[[Api, Sandbox], Json], form: Json, refusal: Refusal
) -> None:
    """Most rows break a later rule too: the first one answers."""
    assert refusal == api.error(api.post("refunds", **target(api, sandbox), **form))


@pytest.mark.parametrize(
    ("amount", "currency", "part"),
    [(5000, "kwd", 1230), (20_000, "isk", 100), (5000, "jpy", 1), (5000, "huf", 1), (5000, "twd", 1), (5000, "usd", 1)],
)
def test_the_smallest_steps_of_a_currency_are_refunded(api: Api, amount: int, currency: str, part: int) -> None:
    charge = api.payment(amount, currency)["latest_charge"]
    made = api.make("refunds", charge=charge, amount=part)
    assert (part, currency) == (made["amount"], made["currency"])


def test_a_rest_below_the_step_can_still_be_refunded_whole(api: Api) -> None:
    """Whatever is left may always go back, even where a proration left it uneven."""
    charge = api.payment(5000, "kwd")["latest_charge"]
    api.make("refunds", charge=charge, amount=1230)
    assert 3770 == api.make("refunds", charge=charge)["amount"]


def test_only_a_refund_that_waits_for_the_customer_can_be_canceled(api: Api) -> None:
    charge = api.payment(2000, card="pm_card_refundRequiresAction")["latest_charge"]
    made = api.make("refunds", charge=charge, instructions_email="ada@example.com")
    asked = made["next_action"]["display_details"]["email_sent"]["email_sent_to"]
    assert ("requires_action", "ada@example.com") == (made["status"], asked)
    assert (400, "charge_already_refunded", None) == api.error(api.post("refunds", charge=charge))
    canceled = api.make(f"refunds/{made['id']}/cancel")
    assert ("canceled", "merchant_request") == (canceled["status"], canceled["failure_reason"])
    assert 2000 == api.read(f"balance_transactions/{canceled['failure_balance_transaction']}")["amount"]
    assert 0 == api.read(f"charges/{charge}")["amount_refunded"]
    assert (400, None, None) == api.error(api.post(f"refunds/{made['id']}/cancel"))
    done = api.make("refunds", charge=api.payment()["latest_charge"])
    assert (400, None, None) == api.error(api.post(f"refunds/{done['id']}/cancel"))
    assert "succeeded" == api.read(f"refunds/{done['id']}")["status"]


def test_a_pending_refund_fails_when_its_inquiry_becomes_a_chargeback(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000, card="pm_card_pendingRefund")["latest_charge"]
    inquiry = sandbox.open_dispute(charge, status="warning_needs_response")
    made = api.make("refunds", charge=charge, amount=1500)
    sandbox.post("disputes", dispute=inquiry["id"], status="needs_response")
    failed = api.read(f"refunds/{made['id']}")
    assert ("failed", "charge_for_pending_refund_disputed") == (failed["status"], failed["failure_reason"])
    assert 1500 == api.read(f"balance_transactions/{failed['failure_balance_transaction']}")["amount"]
    assert 0 == api.read(f"charges/{charge}")["amount_refunded"]
    assert (400, "charge_disputed", None) == api.error(api.post("refunds", charge=charge))
    sandbox.advance(61)
    assert failed == api.read(f"refunds/{made['id']}")


def test_too_large_a_refund_names_both_amounts(api: Api) -> None:
    charge = api.payment(2000)["latest_charge"]
    message = api.post("refunds", charge=charge, amount=3000).json()["error"]["message"]
    assert "Refund amount ($30.00) is greater than unrefunded amount on charge ($20.00)" == message


def test_a_fully_refunded_charge_is_refused_before_its_amount_is_looked_at(api: Api) -> None:
    charge = api.charges("edsger@example.com")[0]["id"]
    refused = api.post("refunds", charge=charge, amount=0)
    assert (400, "charge_already_refunded", None) == api.error(refused)
    assert f"Charge {charge} has already been refunded." == refused.json()["error"]["message"]


def test_a_disputed_charge_is_refused_with_its_own_code(api: Api) -> None:
    charge = api.charges("donald@example.com")[0]
    assert charge["disputed"]
    refused = api.post("refunds", charge=charge["id"])
    assert (400, "charge_disputed", None) == api.error(refused)
    assert f"Charge {charge['id']} has been charged back; cannot issue a refund." == refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("status", "code"),
    [("needs_response", 400), ("lost", 400), ("under_review", 400), ("warning_needs_response", 200), ("won", 200)],
)
def test_only_an_open_or_lost_chargeback_forbids_a_refund(api: Api, sandbox: Sandbox, status: str, code: int) -> None:
    charge = api.payment()["latest_charge"]
    opened = "warning_needs_response" if status.startswith("warning_") else "needs_response"
    dispute = sandbox.open_dispute(charge, status=opened)
    if status != opened:
        sandbox.post("disputes", dispute=dispute["id"], status=status)
    assert code == api.post("refunds", charge=charge).status_code


def test_a_payment_that_did_not_succeed_has_nothing_to_refund(api: Api) -> None:
    refused = api.post(
        "payment_intents", amount=500, currency="usd", payment_method="pm_card_chargeDeclined", confirm="true"
    )
    assert (402, "card_declined", None) == api.error(refused)
    error = refused.json()["error"]
    assert "generic_decline" == error["decline_code"]
    intent = error["payment_intent"]["id"]
    assert (400, "payment_intent_unexpected_state", "payment_intent") == api.error(
        api.post("refunds", payment_intent=intent)
    )
    assert (400, "charge_not_refundable", None) == api.error(api.post("refunds", charge=error["charge"]))


def test_without_an_amount_the_rest_is_refunded(api: Api) -> None:
    intent = api.payment(2000)
    api.make("refunds", payment_intent=intent["id"], amount=700)
    rest = api.make("refunds", payment_intent=intent["id"], reason="requested_by_customer")
    charge = api.read(f"charges/{intent['latest_charge']}")
    assert (1300, "succeeded", "requested_by_customer") == (rest["amount"], rest["status"], rest["reason"])
    assert (2000, True) == (charge["amount_refunded"], charge["refunded"])


def test_a_partly_refunded_charge_is_not_called_refunded(api: Api) -> None:
    charge = api.charges("dorothy@example.com")[0]
    assert (8000, 4000, False) == (charge["amount"], charge["amount_refunded"], charge["refunded"])


@pytest.mark.parametrize(("amount", "status"), [(5125, 400), (5120, 200), (15_250, 200)])
def test_three_decimal_amounts_end_in_zero(api: Api, amount: int, status: int) -> None:
    charge = api.charges("fatima@example.com")[0]["id"]
    assert status == api.post("refunds", charge=charge, amount=amount).status_code


def test_metadata_is_all_that_can_be_changed(api: Api) -> None:
    charge = api.payment()["latest_charge"]
    refund = api.make("refunds", charge=charge, **{"metadata[action]": "a1", "metadata[note]": "n"})
    changed = api.make(f"refunds/{refund['id']}", **{"metadata[note]": "", "metadata[more]": "m"})
    assert {"action": "a1", "more": "m"} == changed["metadata"]
    assert (400, "parameter_unknown", "amount") == api.error(api.post(f"refunds/{refund['id']}", amount=1))


def test_a_refund_that_fails_later_gives_the_capacity_back(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000, card="pm_card_refundFail")["latest_charge"]
    refund = api.make("refunds", charge=charge)
    assert "succeeded" == refund["status"]
    sandbox.advance(61)
    failed = api.read(f"refunds/{refund['id']}")
    assert ("failed", "expired_or_canceled_card") == (failed["status"], failed["failure_reason"])
    assert 0 == api.read(f"charges/{charge}")["amount_refunded"]
    kinds = [event["type"] for event in api.read("events", limit=5)["data"]]
    assert {"refund.failed", "refund.updated"} <= set(kinds)


def test_a_pending_refund_counts_as_used_until_it_settles(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000, card="pm_card_pendingRefund")["latest_charge"]
    refund = api.make("refunds", charge=charge, amount=1500)
    assert ("pending", "processing") == (refund["status"], refund["pending_reason"])
    assert (400, None, "amount") == api.error(api.post("refunds", charge=charge, amount=501))
    sandbox.advance(61)
    assert "succeeded" == api.read(f"refunds/{refund['id']}")["status"]


def test_refunding_leaves_the_invoice_paid(api: Api) -> None:
    ada = api.customer("ada@example.com")["id"]
    invoice = api.read("invoices", customer=ada)["data"][0]
    payment = api.read("invoice_payments", invoice=invoice["id"])["data"][0]
    api.make("refunds", payment_intent=payment["payment"]["payment_intent"])
    assert ("paid", 4900) == (
        (after := api.read(f"invoices/{invoice['id']}"))["status"],
        after["amount_paid"],
    )


def test_a_refund_is_recorded_as_events_with_what_changed(api: Api) -> None:
    charge = api.payment(2000)["latest_charge"]
    api.make("refunds", charge=charge, amount=500)
    newest, before = api.read("events", limit=2)["data"]
    assert ["charge.refunded", "refund.created"] == [newest["type"], before["type"]]
    assert {"amount_refunded": 0} == newest["data"]["previous_attributes"]
    assert 500 == newest["data"]["object"]["amount_refunded"]


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(-50, 1500), st.booleans()), max_size=12))
def test_refunds_never_exceed_what_was_captured(steps: list[tuple[int, bool]]) -> None:
    world = new_world()
    method = payment_methods.card(world, "pm_card_visa")
    intent = payment_intents.create_intent(world, 2000, "usd", method=method)
    charge = world.get("charge", payment_intents.confirm(world, intent)["latest_charge"])
    made: list[dict[str, Any]] = []
    for amount, fails in steps:
        try:
            made.append(refunds.refund(world, charge, amount))
        except StripeFailure:
            continue
        if fails:
            refunds.settle(world, made.pop(), "failed")
    assert sum(refund["amount"] for refund in made) == charge["amount_refunded"]
    assert 0 <= charge["amount_refunded"] <= charge["amount_captured"]
    assert charge["refunded"] == (charge["amount_refunded"] == charge["amount_captured"])
