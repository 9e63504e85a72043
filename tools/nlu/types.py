"""What the customer's words mean, as typed proposals. Nothing here decides anything."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

Intent = Literal[
    # talk
    "greeting", "thanks", "goodbye", "affirm", "decline", "talk_to_human", "out_of_scope", "capabilities",
    # who is there
    "give_email", "give_phone", "forgot_email", "give_code", "resend_code",
    # policy, no identity needed
    "policy_question",
    # reading
    "list_invoices", "invoice_pdf", "explain_charge", "explain_amount_change", "refund_status",
    "upcoming_invoice", "credit_balance", "payment_failed", "subscription_status",
    # acting
    "duplicate_charge", "refund_request", "charged_after_cancel", "cancel_subscription", "undo_cancel",
    "pause_subscription", "change_plan", "payment_plan", "extend_due_date", "resend_invoice", "update_payment_method",
    "change_billing_details",
    # a person's business
    "dispute", "fraud_report", "tax_question",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Typed values found in the text by exact parsers."""

    email: str | None = None
    phone: str | None = None
    """E.164."""
    amount: int | None = None
    """Minor units of `currency`."""
    currency: str | None = None
    amounts: tuple[tuple[int, str], ...] = ()
    """All that the words may mean, where that is more than one: "$65" is in US or in Canadian dollars."""
    invoice_number: str | None = None
    last4: str | None = None
    instalments: int | None = None
    """How many parts a payment plan should have, when said: 1 to 999."""
    ordinal: int | None = None
    """Which entry of a list is chosen: 1 the first or newest, -1 the last."""
    day: str | None = None
    """ISO date; without a year in the text the most recent past one."""
    month: int | None = None
    """1 to 12, when a month is named and no day."""
    bare: str | None = None
    """A number without a currency that is the whole message, or named as that of a charge: `49.00`, two decimals.
    The caller compares."""
    months: int | None = None
    """How long something is wanted for, in months."""
    days: int | None = None
    """The same in days, a week being seven."""
    until: str | None = None
    """ISO date that something is to wait for; without a year the next such day."""
    seats: int | None = None
    """How many seats there are to be in all."""
    more_seats: int | None = None
    """How many seats are to be added, or, negative, taken away."""
    interval: Literal["month", "year"] | None = None
    """What a price is wanted for."""
    company: str | None = None
    """A new name on invoices."""
    fields: tuple[Literal["email", "name", "tax_id", "address", "other"], ...] = ()
    """Billing details that are spoken of, whether or not their values are."""
    tax_id: tuple[str, str] | None = None
    """Stripe's type and the number."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One intent with its calibrated probability, 0 to 1."""

    intent: Intent
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """The reading of one message. `readings` is ordered by confidence and never empty."""

    readings: tuple[Reading, ...]
    slots: Slots = field(default_factory=Slots)
    language: str = "en"

    @property
    def top(self) -> Reading:
        return self.readings[0]


class Understander(Protocol):
    """Raises `ModelUnavailable` when it cannot read; it never guesses in silence."""

    async def understand(self, text: str, *, history: tuple[str, ...] = ()) -> Understanding: ...
