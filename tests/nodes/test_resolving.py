"""What each goal leads to, from a picture of the customer's billing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nodes.resolving.charges import refund_request
from nodes.resolving.invoices import explain_amount_change
from nodes.resolving.matter import Matter, Resolution
from nodes.resolving.plans import payment_plan
from nodes.resolving.standing import refund_status
from tools.billing.types import BillingPicture, Card, Charge, Customer, Invoice, Refund
from tools.ledger.types import Action, ActionState
from tools.money import Money
from tools.policy.types import ActionKind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
VISA = Card(brand="visa", last4="4242", fingerprint="f")


def charge(amount: int, *, days_ago: int = 1, refunded: int = 0, currency: str = "usd", name: str = "ch") -> Charge:
    return Charge(
        id=f"{name}_{amount}_{days_ago}",
        payment_intent=None,
        amount=Money(amount, currency),
        captured=Money(amount, currency),
        refunded=Money(refunded, currency),
        status="succeeded",
        disputed=False,
        created=NOW - timedelta(days=days_ago),
        description="Team",
        card=VISA,
        invoice_number=f"ACME-{days_ago:04}",
    )


def matter(*charges: Charge, details: dict[str, Any] | None = None, **more: Any) -> Matter:
    picture = BillingPicture(
        customer=Customer(id="cus_1", email="ada@example.com", name="Ada", phone=None),
        invoices=more.pop("invoices", ()),
        charges=charges,
        refunds=more.pop("refunds", ()),
        subscriptions=(),
        read_at=NOW,
    )
    return Matter(goal="x", picture=picture, details=details or {}, passages=(), now=NOW, **more)


def action(kind: ActionKind, state: ActionState, target: str = "in_1", amount: int = 120_000) -> Action:
    return Action(
        id="a",
        thread="t",
        kind=kind,
        customer="cus_1",
        target=target,
        amount=Money(amount, "usd"),
        reason="customer_request",
        details={"number": "ACME-0001", "schedule": [{"due": "2026-12-23", "amount": 60_000}]},
        evidence={},
        policy_version="1",
        rule="r",
        outcome="auto",
        digest="d",
        state=state,
        created=NOW,
        updated=NOW,
    )


def proposed(resolution: Resolution) -> tuple[str, int] | None:
    proposal = resolution.proposal
    return (proposal.request.target, proposal.request.amount.amount) if proposal else None


def test_the_only_charge_is_proposed_in_full() -> None:
    assert proposed(refund_request(matter(charge(4900)))) == ("ch_4900_1", 4900)


@pytest.mark.parametrize(
    "details", [{"amount": 1000, "currency": "usd"}, {"bare": "10"}, {"bare": "10.00"}], ids=["named", "bare", "cents"]
)
def test_a_smaller_amount_that_the_customer_names_is_what_is_proposed(details: dict[str, Any]) -> None:
    assert proposed(refund_request(matter(charge(8000), details=details))) == ("ch_8000_1", 1000)


def test_more_than_is_left_is_said_to_be_too_much() -> None:
    """80 was charged and 40 refunded; "refund $60" once led to a proposal that spoke of a charge of 40."""
    found = refund_request(matter(charge(8000, refunded=4000), details={"amount": 6000, "currency": "usd"}))

    assert "$40.00 can be refunded at most" in found.draft.text
    assert proposed(found) == ("ch_8000_1", 4000)


def test_another_currency_than_that_of_the_charge_is_refused() -> None:
    found = refund_request(
        matter(charge(1900), charge(1900, days_ago=31), details={"amount": 10_000, "currency": "eur"})
    )

    assert "another currency" in found.draft.text
    assert proposed(found) is None


def test_a_sign_of_several_currencies_means_that_of_the_charge() -> None:
    """A Canadian's "$65" was refused as another currency than that of the charge."""
    details = {"amount": 1000, "currency": "usd", "amounts": [[1000, "usd"], [1000, "cad"]]}

    found = refund_request(matter(charge(6500, currency="cad"), details=details))

    assert found.proposal is not None
    assert found.proposal.request.amount == Money(1000, "cad")


def test_an_amount_that_fits_one_charge_chooses_it() -> None:
    assert proposed(refund_request(matter(charge(1900), charge(4900, days_ago=31), details={"bare": "49"}))) == (
        "ch_4900_31",
        4900,
    )


@pytest.mark.parametrize(
    ("details", "target"),
    [
        ({"ordinal": 2}, "ch_1900_31"),
        ({"ordinal": -1}, "ch_1900_61"),
        ({"invoice_number": "ACME-0031"}, "ch_1900_31"),
        ({"day": "2026-10-23"}, "ch_1900_31"),
        ({"month": 9}, "ch_1900_61"),
    ],
)
def test_equal_charges_are_told_apart_by_place_date_and_invoice(details: dict[str, Any], target: str) -> None:
    three = (charge(1900), charge(1900, days_ago=31), charge(1900, days_ago=61))

    assert proposed(refund_request(matter(*three, details=details))) == (target, 1900)


def test_what_fits_no_charge_is_said_and_forgotten() -> None:
    found = refund_request(matter(charge(1900), charge(1900, days_ago=31), details={"month": 2}))

    assert "no charge on this account that fits" in found.draft.text
    assert (found.asked, found.start_over) == ("which_charge", True)


def test_more_than_any_charge_is_said_to_fit_none() -> None:
    found = refund_request(
        matter(charge(1900), charge(1900, days_ago=31), details={"amount": 50_000, "currency": "usd"})
    )

    assert "no charge on this account that fits" in found.draft.text


def test_every_choice_has_a_place_and_an_invoice_number() -> None:
    found = refund_request(matter(charge(1900), charge(1900, days_ago=31)))

    assert "1) November 22, 2026" in found.draft.text
    assert "invoice ACME-0031" in found.draft.text


def test_a_request_that_waits_for_a_person_is_part_of_where_the_refund_is() -> None:
    found = refund_status(matter(actions=(action("refund", "awaiting_approval", amount=48_000),)))

    assert "A colleague still has to approve your request for a refund of $480.00" in found.draft.text


def test_a_refund_that_failed_at_the_bank_offers_a_person() -> None:
    failed = Refund(
        id="re", charge="ch", amount=Money(4900, "jpy"), status="failed", reason=None, created=NOW, action_id=None
    )

    found = refund_status(matter(refunds=(failed,)))

    assert found.asked == "handover"
    assert "5–10" not in found.draft.text


def invoice() -> Invoice:
    return Invoice(
        id="in_1",
        number="ACME-0001",
        status="open",
        total=Money(120_000, "usd"),
        paid=Money(0, "usd"),
        remaining=Money(120_000, "usd"),
        tax=Money(0, "usd"),
        created=NOW,
        due=NOW,
        lines=(),
        subscription=None,
        charges=(),
        pdf_url=None,
        hosted_url=None,
    )


def test_an_invoice_gets_one_payment_plan_and_no_second() -> None:
    planned = action("payment_plan", "succeeded")

    first = payment_plan(matter(invoices=(invoice(),)))
    second = payment_plan(matter(invoices=(invoice(),), actions=(planned,)))

    assert proposed(first) == ("in_1", 120_000)
    assert proposed(second) is None
    assert "There is a payment plan for invoice ACME-0001 already" in second.draft.text


@pytest.mark.parametrize("parts", [1, 7, 100])
def test_a_number_of_parts_that_policy_does_not_allow_is_asked_of_policy_as_it_was_said(parts: int) -> None:
    found = payment_plan(matter(invoices=(invoice(),), details={"instalments": parts}))

    assert found.proposal is not None
    assert found.proposal.request.instalments == parts


def test_invoices_in_two_currencies_are_not_compared() -> None:
    now = replace(invoice(), status="paid")
    before = replace(now, id="in_0", number="ACME-0000", total=Money(110_000, "eur"), created=NOW - timedelta(days=30))

    found = explain_amount_change(matter(invoices=(now, before)))

    assert "I cannot compare the amounts" in found.draft.text
    assert "€1,100.00" in found.draft.text
