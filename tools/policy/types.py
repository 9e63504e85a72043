"""Requests to act, and the verdicts of code plus versioned data on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools.money import Money

ActionKind = Literal[
    "refund", "credit_note", "payment_plan", "instalment", "extend_due_date", "resend_invoice",
    "cancel_subscription", "undo_cancel", "pause_subscription", "resume_subscription", "change_subscription",
    "change_billing_details", "payment_method_link",
]  # fmt: skip
"""Each has a row in `nodes/case/deeds/table.py` (how it is done) and in `nodes/wording/table.py` (how it is said)."""
Ground = Literal[
    "duplicate", "charged_after_cancel", "within_window", "goodwill", "billing_error", "customer_request"
]  # fmt: skip
Outcome = Literal["auto", "needs_approval", "deny"]


@dataclass(frozen=True, kw_only=True)
class ActionRequest:
    """What is asked for, in facts that code has read from Stripe, never from the customer's words."""

    kind: ActionKind
    ground: Ground
    customer: str
    target: str
    """Stripe id of the charge, subscription or invoice acted on."""
    amount: Money
    refundable: Money
    """What could still be refunded, or credited; for other kinds the same as `amount`."""
    disputed: bool
    charged_at: datetime
    interval: Literal["day", "week", "month", "year"] | None = None
    refunds_last_year: int = 0
    refunded_last_day: Money | None = None
    refunds_last_day: int = 0
    changes_last_day: int = 0
    """How many actions of other kinds this customer agreed to in the last 24 hours."""
    instalments: int | None = None
    pause_months: int | None = None
    extension_days: int | None = None
    extended_before: bool = False
    """The due date of this invoice was moved already."""
    plans_running: int = 0
    """Payment plans of this customer that are not paid off."""
    upgrade: bool | None = None
    """For a changed subscription: whether it costs more from now on."""
    planned: bool = False
    """For an instalment: it stands so, by number and amount, in a plan that the customer agreed to."""
    by_staff: bool = False
    """A colleague proposes it, who may not be the one to approve it."""
    automatic: bool = True
    """False while the kill switch is off: nothing is carried out without a person."""


@dataclass(frozen=True, kw_only=True)
class RuleTrace:
    rule: str
    outcome: Outcome | None
    """None: the rule had nothing to say."""
    because: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The strictest outcome of all rules, with the rule that decided and the section to cite."""

    outcome: Outcome
    rule: str
    because: str
    document: str
    anchor: str
    policy_version: str
    people: int = 0
    """How many people have to approve it; 0 when it is automatic or denied."""
    trace: tuple[RuleTrace, ...]
