"""How sure we must be of who is there, for every intent and every kind of action, and which wish each kind comes from.

Levels are those of DESIGN.md, invariant 6: 0 anonymous, 1 may read billing, 2 may act.
"""

from typing import Literal

from tools.nlu.types import Intent
from tools.policy.types import ActionKind

Level = Literal[0, 1, 2]

INTENTS: dict[Intent, Level] = {
    "greeting": 0,
    "thanks": 0,
    "goodbye": 0,
    "affirm": 0,
    "decline": 0,
    "talk_to_human": 0,
    "out_of_scope": 0,
    "capabilities": 0,
    "give_email": 0,
    "give_phone": 0,
    "forgot_email": 0,
    "give_code": 0,
    "resend_code": 0,
    "policy_question": 0,
    "tax_question": 0,
    "dispute": 0,
    "fraud_report": 0,
    "list_invoices": 1,
    "invoice_pdf": 1,
    "explain_charge": 1,
    "explain_amount_change": 1,
    "refund_status": 1,
    "upcoming_invoice": 1,
    "credit_balance": 1,
    "payment_failed": 1,
    "subscription_status": 1,
    "duplicate_charge": 2,
    "refund_request": 2,
    "cancel_subscription": 2,
    "payment_plan": 2,
    "charged_after_cancel": 2,
    "undo_cancel": 2,
    "pause_subscription": 2,
    "change_plan": 2,
    "extend_due_date": 2,
    "resend_invoice": 2,
    "update_payment_method": 2,
    "change_billing_details": 2,
}
"""A yes or no has no level of its own: that of the action that it answers counts."""

ACTIONS: dict[ActionKind, Level] = {
    "refund": 2,
    "credit_note": 2,
    "payment_plan": 2,
    "instalment": 2,
    "extend_due_date": 2,
    "resend_invoice": 2,
    "cancel_subscription": 2,
    "undo_cancel": 2,
    "pause_subscription": 2,
    "resume_subscription": 2,
    "change_subscription": 2,
    "change_billing_details": 2,
    "payment_method_link": 2,
}
"""To have it proposed, to agree to it, and to open what it made."""

FOR_A_PERSON: frozenset[str] = frozenset({"dispute", "fraud_report"})
"""Never settled by the agent: a bank or a person decides."""

ABSORBS: dict[str, frozenset[str]] = {
    "duplicate_charge": frozenset({"refund_request", "explain_charge", "explain_amount_change"}),
    "refund_request": frozenset({"explain_charge"}),
    "explain_amount_change": frozenset({"explain_charge", "list_invoices"}),
    "payment_plan": frozenset({"payment_failed", "list_invoices", "extend_due_date"}),
    "extend_due_date": frozenset({"payment_failed", "list_invoices"}),
    "update_payment_method": frozenset({"payment_failed"}),
    "undo_cancel": frozenset({"cancel_subscription", "subscription_status"}),
    "pause_subscription": frozenset({"cancel_subscription"}),
    "invoice_pdf": frozenset({"list_invoices"}),
    "resend_invoice": frozenset({"invoice_pdf", "list_invoices"}),
}
"""Wishes that serving another one settles: who was charged twice and wants the money back wants one refund, not two."""

WISHED: dict[ActionKind, str] = {
    "refund": "refund_request",
    "credit_note": "credit_balance",
    "payment_plan": "payment_plan",
    "instalment": "payment_plan",
    "extend_due_date": "extend_due_date",
    "resend_invoice": "resend_invoice",
    "cancel_subscription": "cancel_subscription",
    "undo_cancel": "undo_cancel",
    "pause_subscription": "pause_subscription",
    "resume_subscription": "undo_cancel",
    "change_subscription": "change_plan",
    "change_billing_details": "change_billing_details",
    "payment_method_link": "update_payment_method",
}
"""The wish that a kind of action comes from."""

GOALS: dict[str, Level] = {intent: level for intent, level in INTENTS.items() if level > 0}
"""What takes the customer's own billing data to answer."""


def wishes(intents: list[str]) -> list[str]:
    """The goals among these intents, without those that another one absorbs."""
    goals = [intent for intent in intents if intent in GOALS]
    absorbed = frozenset[str]().union(*(ABSORBS.get(goal, frozenset()) for goal in goals))
    return [goal for goal in goals if goal not in absorbed]


def goal_of(kind: ActionKind, ground: str | None = None) -> str:
    """The wish to take up again. Refunds of our own mistakes come from wishes of the same name."""
    return {"duplicate": "duplicate_charge", "charged_after_cancel": "charged_after_cancel"}.get(
        ground or "", WISHED[kind]
    )


def level_for(kind: ActionKind) -> Level:
    """Raises `KeyError` for a kind that declares none."""
    return ACTIONS[kind]


def level_to_agree(kind: ActionKind | None) -> Level:
    """Of a yes or no; for an answer that names no kind, as an old button's, what any kind needs."""
    return level_for(kind) if kind else max(ACTIONS.values())


def level_needed(goals: list[str]) -> Level:
    """The highest level that any of these goals needs."""
    return max((GOALS[goal] for goal in goals if goal in GOALS), default=0)
