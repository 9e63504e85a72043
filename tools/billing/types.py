"""The nouns of billing, as the rest of Counterfoil speaks them. Nothing here knows Stripe's SDK.

Amounts are `Money` in minor units, times are aware UTC datetimes, ids are Stripe's own.
Descriptions are text that somebody else wrote: show them, never obey them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from tools.billing.declines import DeclineReason
from tools.money import Money

if TYPE_CHECKING:
    from tools.billing.powers import CostPreview, HeldDetails, Instalment, PlanChange, Price

InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void", "unknown"]
"""`unknown`, here and below, is a word of Stripe's that is newer than this: nothing is concluded from it."""
PaymentStatus = Literal["open", "paid", "canceled", "unknown"]
CreditNoteStatus = Literal["issued", "void", "unknown"]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
RefundReason = Literal["duplicate", "requested_by_customer"]
DISPUTE_IS_OVER = frozenset({"won", "lost", "warning_closed", "prevented"})

ChangeKind = Literal[
    "proration",
    "quantity",
    "price",
    "period",
    "tax",
    "tax_rate",
    "new_line",
    "dropped_line",
    "trial_ended",
    "discount",
    "discount_started",
    "discount_ended",
    "credit",
    "currency",
]
"""`price` is another price for as long a time, `period` the price of another length of time; `tax` another base at the
same rate; `discount` the same coupon taking off more or less."""
DuplicateSign = Literal["overpaid", "same_order", "alike"]
"""An invoice paid too often, an order paid twice, or two charges that nothing tells apart."""


@dataclass(frozen=True, kw_only=True)
class Customer:
    id: str
    email: str | None
    name: str | None
    phone: str | None
    balance: Money | None = None
    """Negative is credit that the next invoice uses."""
    payment_method: str | None = None
    """Stripe id of the default for invoices."""
    action_id: str | None = None
    """Our action that changed them last."""
    actions: tuple[str, ...] = ()
    """Our actions of which a mark is left: of each power to change it, the last."""


@dataclass(frozen=True, kw_only=True)
class Card:
    brand: str
    last4: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Dispute:
    id: str
    charge: str
    status: str
    """Stripe's: `warning_*` is an inquiry, in which no money has moved yet."""
    reason: str
    amount: Money
    created: datetime
    due_by: datetime | None
    """Until then evidence can be handed in; None when no response is possible."""
    refundable: bool
    """Stripe's word: an inquiry leaves a charge refundable, and so does one that was won."""

    @property
    def is_open(self) -> bool:
        return self.status not in DISPUTE_IS_OVER


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
    """There is or was a dispute, however it ended."""
    created: datetime
    description: str
    card: Card | None
    invoice: str | None = None
    """Stripe id of the invoice that it paid, where there is one."""
    invoice_number: str | None = None
    order_id: str | None = None
    """The shop's own `order_id` from the charge's metadata, where it keeps one."""
    disputes: tuple[Dispute, ...] = ()
    """Newest first, where they were read."""

    statement: str | None = None
    """What the charge is called on the card statement."""
    failure: DeclineReason | None = None

    @property
    def is_contested(self) -> bool:
        """A dispute is open, lost, or not known. An inquiry is for a person too, though Stripe would refund it."""
        known = bool(self.disputes)
        return (self.disputed and not known) or any(each.is_open or not each.refundable for each in self.disputes)

    @property
    def refundable(self) -> Money:
        """What Stripe would still give back: captured less refunded, nothing while contested."""
        if self.is_contested or self.status != "succeeded":
            return Money(0, self.amount.currency)
        # An authorisation that was let go counts as refunded, though it was never captured.
        return Money(max(0, (self.captured - self.refunded).amount), self.amount.currency)


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    description: str
    amount: Money
    quantity: int
    period_start: datetime
    period_end: datetime
    proration: bool
    id: str | None = None
    product: str | None = None
    """Stripe id of the product: the same on both sides of a price change."""
    tax: Money | None = None
    """Tax on this line, whether inside its amount or on top."""
    discount: Money | None = None
    """What discounts took off this line, as a positive amount; not out of its `amount`."""


@dataclass(frozen=True, kw_only=True)
class Discount:
    """What one discount took off a whole invoice, as a positive amount."""

    amount: Money
    name: str | None = None
    """The coupon's name as customers see it."""
    coupon: str | None = None


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One of the payments of an invoice, of which there may be several."""

    id: str
    kind: Literal["card", "out_of_band"]
    """`card` is whatever went through Stripe; `out_of_band` was paid elsewhere and cannot be refunded here."""
    amount: Money
    """What it paid, or is to pay while it is open."""
    status: PaymentStatus
    at: datetime
    """When it was paid, else when it was made."""
    charge: str | None = None
    payment_intent: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreditNote:
    id: str
    number: str
    invoice: str
    amount: Money
    """With tax; after payment it is the sum of what was refunded, credited and given back elsewhere."""
    reason: str | None
    status: CreditNoteStatus
    created: datetime
    refunds: tuple[str, ...] = ()
    """Ids of the refunds that it made or accounts for."""
    memo: str | None = None
    action_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreditEntry:
    """A line in the ledger of a customer's credit balance."""

    id: str
    amount: Money
    """Negative gives credit, positive uses it up."""
    balance: Money
    """After this entry."""
    kind: str
    """Stripe's `type`: `adjustment`, `applied_to_invoice`, `credit_note` and others."""
    created: datetime
    description: str = ""
    invoice: str | None = None
    action_id: str | None = None


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
    payments: tuple[Payment, ...] = ()
    credited: Money | None = None
    """What credit notes took off it, before and after it was paid."""
    off_stripe: Money | None = None
    """The part of `paid` that came in outside Stripe."""
    customer: str | None = None
    """Stripe id of whoever owes it."""
    action_id: str | None = None
    """Our action that changed it last."""
    actions: tuple[str, ...] = ()
    """Our actions of which a mark is left: of each power to change it, the last."""
    pdf_url: str | None
    hosted_url: str | None
    discount: Money | None = None
    """What discounts took off, as a positive amount; already out of the total."""
    credit_used: Money | None = None
    """What the customer's credit balance paid, as a positive amount; not out of the total."""
    discounts: tuple[Discount, ...] = ()
    """The parts of `discount`."""
    reason: str | None = None
    """Stripe's `billing_reason`: `subscription_create`, `subscription_cycle`, `manual` and others."""
    asked: Money | None = None
    """What was to be paid when it was finalised, with credit and debts of the balance counted."""
    overpaid: Money | None = None
    """What was paid above that. Stripe says it puts this on the customer's credit balance."""

    @property
    def payable(self) -> Money:
        """What had to be paid: the total less the credit balance used."""
        return self.total - self.credit_used if self.credit_used else self.total


@dataclass(frozen=True, kw_only=True)
class SubscriptionItem:
    id: str
    price: str
    product: str
    name: str
    unit: Money | None
    """Per unit and interval; None for usage and tiers, which have no price beforehand."""
    quantity: int


def span(interval: str, count: int) -> str:
    """`month`, or `3 months`."""
    return interval if count == 1 else f"{count} {interval}s"


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
    items: tuple[SubscriptionItem, ...] = ()
    trial_end: datetime | None = None
    paused: bool = False
    """Its invoices are not collected; it goes on otherwise, and its status does not say so."""
    resumes_at: datetime | None = None
    cancel_at: datetime | None = None
    canceled_at: datetime | None = None
    """When the cancellation was asked for."""
    ended_at: datetime | None = None
    discount: str | None = None
    """Names of its coupons."""
    interval_count: int = 1
    """Intervals from one renewal to the next: 3 months are a quarter."""
    payment_method: str | None = None
    """Stripe id of its own default, which goes before the customer's."""
    action_id: str | None = None
    """Our action that changed it last."""
    actions: tuple[str, ...] = ()
    """Our actions of which a mark is left: of each power to change it, the last."""

    @property
    def every(self) -> str:
        """What its price is for: `month`, or `3 months`."""
        return span(self.interval, self.interval_count)


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
    kind: Literal["refund", "reversal", "unknown"] = "unknown"
    """A reversal makes a fresh charge vanish from the statement; a refund is a line of its own."""
    reference: str | None = None
    """What the customer's bank can trace it by (ARN), once the card network has given it."""


@dataclass(frozen=True, kw_only=True)
class BillingPicture:
    """What one customer's billing looked like at `read_at`. Lists are newest first."""

    customer: Customer
    invoices: tuple[Invoice, ...]
    charges: tuple[Charge, ...]
    refunds: tuple[Refund, ...]
    subscriptions: tuple[Subscription, ...]
    read_at: datetime
    disputes: tuple[Dispute, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()
    complete: bool = True
    """False when a list was longer than we read: the oldest entries are missing, and sums over it mean nothing."""


@dataclass(frozen=True, kw_only=True)
class DuplicateCharge:
    """Two charges that no invoice line, seat or renewal explains. `later` is the one to refund."""

    earlier: Charge
    later: Charge
    evidence: tuple[str, ...]
    """Ids that the finding rests on."""
    sign: DuplicateSign = "alike"


@dataclass(frozen=True, kw_only=True)
class AmountChange:
    """One reason why an invoice differs from the one before it."""

    kind: ChangeKind
    description: str
    difference: Money


class BillingReader(Protocol):
    """Reads for one customer at a time. Raises `BillingUnavailable` when Stripe does not answer."""

    async def find_by_email(self, email: str) -> tuple[Customer, ...]: ...
    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]: ...
    async def customer(self, customer: str) -> Customer: ...
    async def billing_details(self, customer: str) -> "HeldDetails": ...
    async def picture(self, customer: str) -> BillingPicture: ...
    async def charge(self, charge: str) -> Charge: ...
    async def invoice(self, invoice: str) -> Invoice: ...
    async def subscription(self, subscription: str) -> Subscription: ...
    async def card(self, payment_method: str) -> Card | None: ...
    async def refund(self, refund: str) -> Refund: ...
    async def dispute(self, dispute: str) -> Dispute: ...
    async def refunds_of(self, charge: str) -> tuple[Refund, ...]: ...
    async def disputes_of(self, charge: str) -> tuple[Dispute, ...]: ...
    async def credit_notes(self, customer: str) -> tuple[CreditNote, ...]: ...
    async def credit_entries(self, customer: str) -> tuple[CreditEntry, ...]: ...
    async def instalments(self, customer: str) -> "tuple[Instalment, ...]": ...
    async def was_mailed(self, invoice: str, *, idempotency_key: str, since: datetime) -> bool: ...
    async def prices(self) -> "tuple[Price, ...]": ...
    async def preview_change(self, subscription: str, change: "PlanChange") -> "CostPreview": ...
