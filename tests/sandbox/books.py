"""The few lines of bookkeeping from which the laws foretell what the sandbox must answer."""

from dataclasses import dataclass, field
from typing import Any

Refusal = tuple[int, str | None, str | None]
OPEN_CHARGEBACK = {"needs_response", "under_review", "lost"}


@dataclass
class Payment:
    """One charge."""

    charge: str
    captured: int
    currency: str
    refunds: dict[str, int] = field(default_factory=dict)
    """Refund id to amount; those that came back are taken out."""
    dispute: str = ""
    dispute_status: str = ""

    @property
    def remaining(self) -> int:
        return self.captured - sum(self.refunds.values())

    def refusal(self, amount: int | None, param: str = "amount") -> Refusal | None:
        """What Stripe says to a refund of this amount, in Stripe's order of checks; None: it is made."""
        if self.dispute_status in OPEN_CHARGEBACK:
            return (400, "charge_disputed", None)
        if self.remaining == 0:
            return (400, "charge_already_refunded", None)
        wanted = self.remaining if amount is None else amount
        if wanted > self.remaining:
            return (400, None, param)
        if wanted <= 0 or (self.currency == "kwd" and wanted != self.remaining and wanted % 10):
            return (400, "parameter_invalid_integer", param)
        return None


@dataclass
class Bill:
    """One invoice of one item, open until `payment` is there or notes leave nothing to pay."""

    invoice: str
    customer: str
    total: int
    payment: Payment | None = None
    notes: dict[str, int] = field(default_factory=dict)
    """Credit note id to amount; void ones are taken out."""
    made_by_notes: set[str] = field(default_factory=set)
    """Refunds that a note made: they are not counted against what can be credited a second time."""
    before_payment: int = 0
    credited: int = 0

    @property
    def remaining(self) -> int:
        return 0 if self.payment else self.total - self.before_payment

    @property
    def creditable(self) -> int:
        """The total less what notes took, and less what was given back without one."""
        refunds = self.payment.refunds.items() if self.payment else ()
        direct = sum(amount for name, amount in refunds if name not in self.made_by_notes)
        return self.total - sum(self.notes.values()) - direct

    def refusal(self, amount: int, refund: int) -> Refusal | None:
        """What Stripe says to a note over `amount`, of which `refund` goes back to the card."""
        if amount > self.creditable:
            return (400, None, "amount")
        if not refund or self.payment is None:
            return None
        if self.payment.remaining < refund and self.payment.dispute_status not in OPEN_CHARGEBACK:
            return (400, "charge_already_refunded" if self.payment.remaining == 0 else None, "refund_amount")
        return self.payment.refusal(refund, "refund_amount")


@dataclass(frozen=True)
class Sent:
    """A write that was answered under a key, to be sent again."""

    path: str
    key: str
    form: dict[str, Any]
    status: int
    body: dict[str, Any]
