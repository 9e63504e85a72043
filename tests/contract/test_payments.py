"""Charges, refunds and idempotency, as both services must answer them."""

from typing import Any

import pytest
import stripe

from tests.contract.conftest import Refusal, Service, refusal


def test_a_confirmed_payment_has_a_charge(service: Service) -> None:
    intent = service.payment(2000)
    charge = service.v1.charges.retrieve(intent.latest_charge)
    assert ("succeeded", 2000, 2000) == (intent.status, intent.amount_received, charge.amount_captured)
    assert (0, False, False) == (charge.amount_refunded, charge.refunded, charge.disputed)
    assert ("visa", "4242") == (charge.payment_method_details.card.brand, charge.payment_method_details.card.last4)


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
def test_a_declined_card_says_why(service: Service, card: str, code: str, decline: str) -> None:
    with pytest.raises(stripe.CardError) as raised:
        service.payment(900, card)
    error: Any = raised.value.error
    assert (402, code, decline) == (raised.value.http_status, error.code, error.decline_code)
    assert "requires_payment_method" == error.payment_intent.status


def test_partial_refunds_add_up_and_the_rest_needs_no_amount(service: Service) -> None:
    intent = service.payment(2000)
    first = service.v1.refunds.create({"payment_intent": intent.id, "amount": 700, "reason": "duplicate"})
    rest = service.v1.refunds.create({"charge": intent.latest_charge})
    charge = service.v1.charges.retrieve(intent.latest_charge)
    assert (700, 1300) == (first.amount, rest.amount)
    assert (2000, True) == (charge.amount_refunded, charge.refunded)
    listed = service.v1.refunds.list({"payment_intent": intent.id})
    assert [rest.id, first.id] == [refund.id for refund in listed.data]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(2001, (400, None, "amount")), (0, (400, "parameter_invalid_integer", "amount"))],
)
def test_an_amount_outside_the_charge_is_refused(service: Service, amount: int, expected: Refusal) -> None:
    intent = service.payment(2000)
    wanted = {"payment_intent": intent.id, "amount": amount}
    assert expected == refusal(lambda: service.v1.refunds.create(wanted))


def test_a_refunded_charge_cannot_be_refunded_again(service: Service) -> None:
    intent = service.payment(2000)
    service.v1.refunds.create({"payment_intent": intent.id})
    again = {"charge": intent.latest_charge}
    assert (400, "charge_already_refunded", None) == refusal(lambda: service.v1.refunds.create(again))


def test_a_refund_names_an_existing_charge(service: Service) -> None:
    absent = {"charge": "ch_none"}
    assert (400, "resource_missing", "charge") == refusal(lambda: service.v1.refunds.create(absent))


def test_a_repeated_key_gives_the_first_answer_and_refunds_once(service: Service) -> None:
    intent = service.payment(2000)
    wanted = {"payment_intent": intent.id, "amount": 500}
    first = service.v1.refunds.create(wanted, service.key("refund"))
    again = service.v1.refunds.create(wanted, service.key("refund"))
    assert first.id == again.id
    assert "true" == again.last_response.headers["idempotent-replayed"]
    assert 1 == len(service.v1.refunds.list({"payment_intent": intent.id}).data)


def test_a_key_is_bound_to_its_parameters(service: Service) -> None:
    intent = service.payment(2000)
    service.v1.refunds.create({"payment_intent": intent.id, "amount": 500}, service.key("bound"))
    with pytest.raises(stripe.IdempotencyError):
        service.v1.refunds.create({"payment_intent": intent.id, "amount": 600}, service.key("bound"))


def test_metadata_is_merged_and_an_empty_value_drops_its_key(service: Service) -> None:
    intent = service.payment(2000)
    refund = service.v1.refunds.create({"payment_intent": intent.id, "metadata": {"action_id": "a", "note": "n"}})
    changed = service.v1.refunds.update(refund.id, {"metadata": {"note": "", "more": "m"}})
    assert {"action_id": "a", "more": "m"} == changed.metadata.to_dict()


def test_a_disputed_charge_cannot_be_refunded(service: Service) -> None:
    intent = service.payment(2000, "pm_card_createDispute")
    assert service.eventually(lambda: service.v1.charges.retrieve(intent.latest_charge).disputed)
    assert "charge_disputed" == refusal(lambda: service.v1.refunds.create({"payment_intent": intent.id}))[1]
    dispute = service.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert ("needs_response", 2000, False) == (dispute.status, dispute.amount, dispute.is_charge_refundable)


def test_an_authorisation_takes_nothing_until_it_is_captured(service: Service) -> None:
    intent = service.payment(2000, capture_method="manual")
    assert ("requires_capture", 0, 2000) == (intent.status, intent.amount_received, intent.amount_capturable)
    charge = service.v1.charges.retrieve(intent.latest_charge)
    assert (False, 0) == (charge.captured, charge.amount_captured)
    captured = service.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
    assert ("succeeded", 1500) == (captured.status, captured.amount_received)
    freed = service.v1.payment_intents.cancel(service.payment(900, capture_method="manual").id)
    assert "canceled" == freed.status
