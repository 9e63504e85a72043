"""Requests to act, and the verdicts of code plus versioned data on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools.money import Money

ActionKind = Literal["refund", "cancel_subscription", "payment_plan"]
Ground = Literal["duplicate", "charged_after_cancel", "within_window", "goodwill", "customer_request"]
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
    """What could still be refunded; for other kinds the same as `amount`."""
    disputed: bool
    charged_at: datetime
    interval: Literal["day", "week", "month", "year"] | None = None
    refunds_last_year: int = 0
    refunded_last_day: Money | None = None
    instalments: int | None = None


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
    trace: tuple[RuleTrace, ...]
