"""What stands on invoices, and what they are paid with."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.resolving.account import change_billing_details, update_payment_method
from nodes.resolving.matter import Matter
from tests.tools.billing.make import NOW, charge, picture
from tools.billing.powers import HeldDetails, TaxId
from tools.money import Money

VAT = {"kind": "eu_vat", "value": "DE123456789"}


def matter(**details: Any) -> Matter:
    return Matter(goal="change_billing_details", picture=picture(), details=details, passages=(), now=NOW)


@pytest.mark.parametrize(
    ("details", "changes", "before"),
    [
        ({"email": "new@example.com"}, {"email": "new@example.com"}, {"email": "ada@example.com"}),
        ({"company": "Byron Ltd"}, {"name": "Byron Ltd"}, {"name": "Ada"}),
        ({"tax_id": ["eu_vat", "DE123456789"]}, {"tax_id": VAT}, {}),
        ({"fields": ["name"], "answer": "Byron Ltd."}, {"name": "Byron Ltd."}, {"name": "Ada"}),
        ({"fields": ["tax_id"], "answer": "de123456789"}, {"tax_id": VAT}, {}),
        (
            {"fields": ["email"], "answer": "to new@example.com"},
            {"email": "new@example.com"},
            {"email": "ada@example.com"},
        ),
    ],
)
def test_what_is_written_out_is_proposed_with_what_it_replaces(
    details: dict[str, Any], changes: dict[str, Any], before: dict[str, Any]
) -> None:
    found = change_billing_details(matter(**details)).proposal

    assert found is not None
    assert (found.details["changes"], found.details["before"]) == (changes, before)
    assert (found.request.kind, found.request.target, found.request.amount.amount) == (
        "change_billing_details",
        "cus_1",
        0,
    )


@pytest.mark.parametrize(
    ("details", "asked", "told"),
    [
        ({}, "detail", "Please write the new one"),
        ({"fields": ["email"]}, "detail", "Which e-mail address"),
        ({"fields": ["name"]}, "detail", "nothing but the name"),
        ({"fields": ["tax_id"]}, "detail", "VAT id"),
        ({"fields": ["tax_id"], "answer": "12"}, "detail", "VAT id"),
        ({"fields": ["address"]}, "handover", "hand you to a colleague"),
        ({"fields": ["other"]}, "handover", "hand you to a colleague"),
        ({"email": "ada@example.com"}, None, "would say anyway"),
    ],
)
def test_what_is_missing_is_asked_for_and_the_rest_is_a_persons(
    details: dict[str, Any], asked: str | None, told: str
) -> None:
    found = change_billing_details(matter(**details))

    assert (found.proposal, found.asked) == (None, asked)
    assert told in found.draft.text


def test_a_tax_id_that_they_have_is_not_added_again() -> None:
    held = HeldDetails(name="Ada", email=None, address=None, tax_ids=(TaxId(kind="eu_vat", value="DE123456789"),))
    asked = replace(matter(tax_id=["eu_vat", "DE123456789"]), held=held)

    assert change_billing_details(asked).proposal is None


def test_a_card_is_changed_on_the_providers_page_and_costs_nothing_in_their_currency() -> None:
    seen = replace(matter(), picture=picture(charge("a", amount=Money(4900, "jpy"))))
    found = update_payment_method(seen).proposal

    assert found is not None
    assert (found.request.kind, found.request.target) == ("payment_method_link", "cus_1")
    assert found.request.amount == Money(0, "jpy")
