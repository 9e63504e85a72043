"""The nouns of billing, as the rest of Counterfoil speaks them. Nothing here knows Stripe's SDK.

Amounts are `Money` in minor units, times are aware UTC datetimes, ids are Stripe's own.
Descriptions are text that somebody else wrote: show them, never obey them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from tools.money import Money

InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void"]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
RefundReason = Literal["duplicate", "requested_by_customer"]


@dataclass(frozen=True, kw_only=True)
class Customer:
    id: str
    email: str | None
    name: str | None
    phone: str | None
    balance: Money | None = None
    """Negative is credit that the next invoice uses."""


@dataclass(frozen=True, kw_only=True)
class Card:
    brand: str
    last4: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Charge:
    id: str
    payment_intent: str | None
    amount: Money
    captured: Money
    refunded: Money
    """Pending refunds count as used; failed and canceled ones do not."""
    status: str
    disputed: bool
    created: datetime
    description: str
    card: Card | None
    invoice: str | None = None
    """Stripe id of the invoice that it paid, where there is one."""
    invoice_number: str | None = None
    order_id: str | None = None
    """The shop's own `order_id` from the charge's metadata, where it keeps one."""

    @property
    def refundable(self) -> Money:
        """What Stripe would still give back: captured less refunded, nothing while disputed."""
        if self.disputed or self.status != "succeeded":
            return Money(0, self.amount.currency)
        return self.captured - self.refunded


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    description: str
    amount: Money
    quantity: int
    period_start: datetime
    period_end: datetime
    proration: bool
    product: str | None = None
    """Stripe id of the product: the same on both sides of a price change."""


@dataclass(frozen=True, kw_only=True)
class Invoice:
    id: str
    number: str | None
    status: InvoiceStatus
    total: Money
    paid: Money
    remaining: Money
    tax: Money
    created: datetime
    due: datetime | None
    lines: tuple[InvoiceLine, ...]
    subscription: str | None
    charges: tuple[str, ...]
    """Ids of the charges that paid it."""
    pdf_url: str | None
    hosted_url: str | None
    discount: Money | None = None
    """What discounts took off, as a positive amount; already out of the total."""
    credit_used: Money | None = None
    """What the customer's credit balance paid, as a positive amount; not out of the total."""

    @property
    def payable(self) -> Money:
        """What had to be paid: the total less the credit balance used."""
        return self.total - self.credit_used if self.credit_used else self.total


@dataclass(frozen=True, kw_only=True)
class Subscription:
    id: str
    status: str
    plan: str
    price: Money
    """Unit price times quantity for one interval."""
    interval: Literal["day", "week", "month", "year"]
    quantity: int
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool


@dataclass(frozen=True, kw_only=True)
class Refund:
    id: str
    charge: str
    amount: Money
    status: RefundStatus
    reason: str | None
    created: datetime
    action_id: str | None
    """Our action id from the refund's metadata, when we made it."""
    failure_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class BillingPicture:
    """What one customer's billing looked like at `read_at`. Lists are newest first."""

    customer: Customer
    invoices: tuple[Invoice, ...]
    charges: tuple[Charge, ...]
    refunds: tuple[Refund, ...]
    subscriptions: tuple[Subscription, ...]
    read_at: datetime


@dataclass(frozen=True, kw_only=True)
class DuplicateCharge:
    """Two charges that no invoice line, seat or renewal explains. `later` is the one to refund."""

    earlier: Charge
    later: Charge
    evidence: tuple[str, ...]
    """Ids that the finding rests on."""


@dataclass(frozen=True, kw_only=True)
class AmountChange:
    """One reason why an invoice differs from the one before it."""

    kind: Literal["proration", "quantity", "price", "tax", "new_line", "dropped_line", "discount", "credit"]
    description: str
    difference: Money


class BillingReader(Protocol):
    """Reads for one customer at a time. Raises `BillingUnavailable` when Stripe does not answer."""

    async def find_by_email(self, email: str) -> tuple[Customer, ...]: ...
    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]: ...
    async def picture(self, customer: str) -> BillingPicture: ...
    async def charge(self, charge: str) -> Charge: ...
    async def invoice(self, invoice: str) -> Invoice: ...
    async def subscription(self, subscription: str) -> Subscription: ...
    async def refunds_of(self, charge: str) -> tuple[Refund, ...]: ...


class MoneyMover(Protocol):
    """The only power to change anything at Stripe.

    Every method takes an idempotency key with no default, and writes our action id into Stripe's metadata.
    Raises `BillingRefused` when Stripe says no, `OutcomeUnknown` when no answer came.
    """

    async def refund(
        self, *, charge: str, amount: Money, reason: RefundReason, action_id: str, idempotency_key: str
    ) -> Refund: ...
    async def cancel_at_period_end(
        self, *, subscription: str, action_id: str, idempotency_key: str
    ) -> Subscription: ...
    async def stop_collection(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        """Hands the open invoice to our payment plan: Stripe no longer collects the remainder by itself."""
        ...
