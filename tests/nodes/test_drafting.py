"""A draft knows every fact that it states."""

from datetime import UTC, datetime

import pytest

from nodes.drafting import Draft, Value, draft
from prompts.registry import PromptError, load
from tools.money import Money
from tools.safety.truth import check

PAID = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_filling_a_template_collects_amounts_dates_and_card_endings() -> None:
    said = draft(
        "charge_line", date=PAID, amount=Money(4900, "usd"), brand="Visa", last4="4242", purpose="Team", state=""
    )

    assert said.text == "• November 20, 2026: $49.00 on your Visa card ending in 4242 (Team)"
    assert said.facts.amounts == {(4900, "usd")}
    assert said.facts.dates == {"2026-11-20"}
    assert said.facts.last4s == {"4242"}


def test_a_draft_inside_a_draft_brings_its_facts_cards_and_citations() -> None:
    inner = draft("original_card", brand="Visa", last4="4242").with_card({"type": "x"})
    outer = draft("propose_refund", what="it", method=inner)

    assert outer.facts.last4s == {"4242"}
    assert outer.cards == ({"type": "x"},)


def test_a_value_of_the_wrong_type_raises() -> None:
    with pytest.raises(PromptError, match="is no money"):
        draft("credit", amount="49.00")


def test_a_draft_survives_the_state() -> None:
    said = draft("credit", amount=Money(4900, "usd")).with_card({"type": "x"}).worded_by("resolve")

    assert Draft.from_json(said.to_json()) == said


def test_an_amount_in_yen_has_no_decimals() -> None:
    assert draft("credit", amount=Money(4900, "jpy")).text.startswith("You have a credit of ¥4,900 ")


SAMPLES: dict[str, Value] = {
    "money": Money(4900, "usd"),
    "date": PAID,
    "identifier": "ACME-0001",
    "last4": "4242",
    "duration": "5–10 business days",
    "number": 3,
    "text": "this",
}
DEEDS = {
    "refund_done",
    "cancel_done",
    "plan_done",
    "handover",
    "already_cancelling",
    "already_paused",
    "already_paused_open",
    "duplicate_refunded",
}
"""Those that say that something was done; their callers add the deed, which comes from the ledger or from Stripe."""


@pytest.mark.parametrize("name", sorted(load().replies["en"]))
def test_every_template_states_only_facts_that_it_collected(name: str) -> None:
    """The truth gate, pointed at our own words: an amount or date typed into a template would be caught here."""
    variables = load().reply(name).variables
    said = draft(name, **{variable: SAMPLES[kind] for variable, kind in variables.items()})

    found = {(falsehood.kind, falsehood.claim) for falsehood in check(said.text, said.facts)}

    assert {one for one in found if name not in DEEDS or one[0] != "deed"} == set()
