"""Every kind of action is spoken of, from the question to the receipt, in words that its facts bear out."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from nodes.case.check_evidence import CHANGED as CHANGED_AT_STRIPE
from nodes.case.check_evidence import NEVER_HAPPENED
from nodes.drafting import done
from nodes.levels import GOALS, WISHED, goal_of
from nodes.outcomes import about, outcome_draft, waiting_draft
from nodes.proposals import case_of, proposal_draft, question_of
from nodes.resolving.table import RESOLVERS
from nodes.wording.table import WORDINGS
from tools.ledger.types import Action, Receipt
from tools.money import Money
from tools.policy.types import ActionKind
from tools.safety.truth import check

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
END, LATER = "2026-12-23T12:00:00+00:00", "2027-02-23T11:00:00+00:00"
VISA = {"payment_method": "pm_1", "brand": "visa", "last4": "4242"}
PLAN = {"plan": "Team", "interval": "month"}
CHANGED = {
    **PLAN,
    **VISA,
    "new_plan": "Business",
    "item": "si_1",
    "price": "price_2",
    "quantity": 2,
    "old_quantity": 1,
    "billed": "now",
    "total": 9900,
    "due_now": 4900,
    "credit": 0,
    "next_invoice": 9900,
    "next_at": END,
}
DETAILS: dict[ActionKind, dict[str, Any]] = {
    "refund": {"date": "2026-11-20T09:30:00+00:00", "charged": 4900, **VISA},
    "credit_note": {"number": "ACME-0001", "invoice_status": "open", "memo": ""},
    "payment_plan": {"number": "ACME-0001", "schedule": [{"due": "2026-12-23", "amount": 4900}], **VISA},
    "instalment": {"number": "ACME-0001", "plan": "a", "place": 1, "of": 3, "attempt": 1, **VISA},
    "extend_due_date": {"number": "ACME-0001", "due": "2026-11-18", "new_due": "2026-12-02"},
    "resend_invoice": {"number": "ACME-0001", "email": "ada@example.com"},
    "cancel_subscription": {**PLAN, "end": END},
    "undo_cancel": {**PLAN, "end": END},
    "pause_subscription": {**PLAN, "months": 2, "start": END, "resumes": LATER},
    "resume_subscription": {**PLAN, "next_at": END},
    "change_subscription": CHANGED,
    "change_billing_details": {
        "changes": {"email": "new@example.com", "tax_id": {"kind": "eu_vat", "value": "DE123456789"}},
        "before": {"email": "ada@example.com"},
    },
    "payment_method_link": {},
}
KINDS = sorted(get_args(ActionKind))


def action(kind: ActionKind, **changes: Any) -> Action:
    base: dict[str, Any] = {
        "id": "act_1",
        "thread": "t",
        "kind": kind,
        "customer": "cus_1",
        "target": "x_1",
        "amount": Money(4900, "usd"),
        "reason": "customer_request",
        "details": DETAILS[kind] | changes.pop("details", {}),
        "evidence": {},
        "policy_version": "1",
        "rule": "r",
        "outcome": "auto",
        "digest": "d",
        "state": "proposed",
        "created": NOW,
        "updated": NOW,
    }
    return Action(**(base | changes))


RECEIPT = Receipt(number="CF-2026-000001", action="act_1", body={}, digest="d", created=NOW)


@pytest.mark.parametrize("table", [WORDINGS, WISHED, DETAILS])
def test_no_kind_of_action_is_left_out(table: dict[ActionKind, Any]) -> None:
    assert sorted(table) == KINDS


def test_every_wish_that_a_kind_comes_from_can_be_resolved() -> None:
    assert set(WISHED.values()) <= set(RESOLVERS)
    assert set(RESOLVERS) == set(GOALS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", ["auto", "needs_approval"])
def test_a_proposal_states_its_facts_and_ends_with_a_question(kind: ActionKind, outcome: Any) -> None:
    said = proposal_draft(action(kind, outcome=outcome))

    assert check(said.text, said.facts) == ()
    assert said.text.endswith("Please answer yes or no.")
    assert ("usually within one business day" in said.text) == (outcome == "needs_approval")
    assert said.cards[0]["digest"] == "d"


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_done_is_told_with_its_receipt_and_nothing_that_facts_do_not_bear_out(kind: ActionKind) -> None:
    said, offers_person = outcome_draft(action(kind, state="succeeded"), RECEIPT)

    assert check(said.text, said.facts) == ()
    assert "CF-2026-000001" in said.text
    assert said.facts.deeds == done(WORDINGS[kind].deed).facts.deeds
    assert not offers_person


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "state", ["awaiting_approval", "rejected", "void", "expired", "failed", "confirmed", "unknown"]
)
def test_nothing_is_claimed_to_be_done_that_is_not(kind: ActionKind, state: Any) -> None:
    said, _ = outcome_draft(action(kind, state=state), None, reason="no reason")

    assert check(said.text, said.facts) == ()
    assert said.facts.deeds == frozenset()


@pytest.mark.parametrize("kind", KINDS)
def test_what_waits_is_named(kind: ActionKind) -> None:
    said = waiting_draft(action(kind, state="awaiting_approval"))

    assert check(said.text, said.facts) == ()
    assert about(action(kind)).text in said.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_question_can_be_asked_again(kind: ActionKind) -> None:
    said = question_of(case_of(action(kind)))

    assert check(said.text, said.facts) == ()
    assert said.text.endswith("Please answer yes or no.")


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("payment_plan", {}, "charged to your Visa card ending in 4242 on its day"),
        ("payment_plan", {"details": {"last4": None}}, "nothing is charged by itself"),
        ("change_subscription", {}, "Now $49.00 is due"),
        ("change_subscription", {}, "Business at $99.00 per month"),
        ("change_subscription", {"amount": Money(0, "usd"), "details": {"credit": 500}}, "$5.00 becomes credit"),
        ("change_subscription", {"details": {"price": None}}, "from 1 seat to 2 seats"),
        ("change_subscription", {"details": {"price": None, "billed": "next_invoice"}}, "on December 23, 2026 comes"),
        ("pause_subscription", {}, "for 2 months. It stays active until December 23, 2026"),
        ("pause_subscription", {}, "starts again by itself on February 23, 2027"),
        ("change_billing_details", {}, "new@example.com (instead of ada@example.com)"),
        ("change_billing_details", {}, "Invoices that are out already stay as they are"),
        ("credit_note", {}, "That much less is left to pay"),
        ("credit_note", {"details": {"invoice_status": "paid"}}, "credit that your next invoice uses"),
        ("cancel_subscription", {"details": {"interval": "3 months"}}, "$49.00 per 3 months"),
    ],
)
def test_the_consequence_is_told_before_the_yes(kind: ActionKind, changes: dict[str, Any], words: str) -> None:
    said = proposal_draft(action(kind, **changes))

    assert words in said.text
    assert check(said.text, said.facts) == ()


def test_the_way_to_a_new_card_is_a_button_and_no_address() -> None:
    said, _ = outcome_draft(action("payment_method_link", state="succeeded"), RECEIPT)

    assert said.cards[-1] == {"type": "link", "action": "act_1", "kind": "payment_method_link"}
    assert "http" not in str(said.to_json())


@pytest.mark.parametrize(
    ("reason", "words"), [(NEVER_HAPPENED, "never confirmed this"), (CHANGED_AT_STRIPE, "billing data changed")]
)
def test_what_was_found_not_to_have_happened_is_no_refusal(reason: str, words: str) -> None:
    """The provider had said neither yes nor no, and the customer was told that it refused."""
    said, offers_person = outcome_draft(action("refund", state="failed"), None, reason=reason)

    assert words in said.text
    assert "refused" not in said.text
    assert offers_person


@pytest.mark.parametrize(
    ("reason", "words", "person"),
    [
        ("charge_already_refunded", "had been refunded already", False),
        ("insufficient_funds", "not enough money on the card", True),
        ("tax_id_invalid", "does not accept that VAT or tax id", True),
        ("something_new", "refused this", True),
    ],
)
def test_a_refusal_says_what_the_customer_can_do(reason: str, words: str, person: bool) -> None:
    said, offers_person = outcome_draft(action("change_subscription", state="failed"), None, reason=reason)

    assert words in said.text
    assert offers_person == person


@pytest.mark.parametrize(
    ("ground", "goal"),
    [("duplicate", "duplicate_charge"), ("charged_after_cancel", "charged_after_cancel"), (None, "refund_request")],
)
def test_a_refund_is_taken_up_again_by_the_wish_that_it_came_from(ground: str | None, goal: str) -> None:
    assert goal_of("refund", ground) == goal
