"""What can be changed at Stripe, and the words to say it. Nothing here knows Stripe's SDK."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from tools.billing.types import (
    CreditEntry,
    CreditNote,
    Customer,
    Invoice,
    InvoiceLine,
    Refund,
    RefundReason,
    Subscription,
    span,
)
from tools.money import Money

CreditReason = Literal["duplicate", "order_change", "product_unsatisfactory"]
"""Stripe's `fraudulent` is left out: it would put the card on a block list."""
PauseBehaviour = Literal["void", "keep_as_draft", "mark_uncollectible"]
PortalFlow = Literal["payment_method_update", "subscription_cancel", "subscription_update"]


@dataclass(frozen=True, kw_only=True)
class CreditLine:
    """Part of an invoice line, as a positive amount before tax: Stripe works out the tax to give back."""

    line: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """Another price or quantity for one item of a subscription.

    `proration_date` makes the preview and the change count the same days; it lies in the current period.
    """

    item: str
    price: str | None = None
    quantity: int | None = None
    billed: Literal["now", "next_invoice", "never"] = "now"
    """When the difference for the rest of the period is asked for. Another interval is always billed at once."""
    proration_date: datetime


@dataclass(frozen=True, kw_only=True)
class CostPreview:
    """What a change would cost. Nothing has been changed."""

    due_now: Money
    credit: Money
    """What would go to the credit balance instead, as a positive amount."""
    next_invoice: Money
    """What the next regular invoice asks for, less any credit balance there is by now."""
    next_at: datetime | None
    lines: tuple[InvoiceLine, ...]
    """Of what is due now, else of the next invoice."""
    change: PlanChange


@dataclass(frozen=True, kw_only=True)
class Instalment:
    """A part of an open invoice that was charged to the customer's card."""

    payment_intent: str
    invoice: str
    amount: Money
    status: str
    """Stripe's: only `succeeded` has moved money."""
    charge: str | None
    action_id: str | None


@dataclass(frozen=True, kw_only=True)
class Address:
    line1: str
    city: str
    postal_code: str
    country: str
    """ISO 3166, two letters."""
    line2: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class TaxId:
    kind: str
    """Stripe's `type`, such as `eu_vat`."""
    value: str


@dataclass(frozen=True, kw_only=True)
class BillingDetails:
    """What is None stays as it is. Invoices that are final keep what they say."""

    name: str | None = None
    email: str | None = None
    address: Address | None = None
    tax_id: TaxId | None = None


@dataclass(frozen=True, kw_only=True)
class HeldDetails:
    """What a customer's next invoices would say."""

    name: str | None
    email: str | None
    address: Address | None
    tax_ids: tuple[TaxId, ...]


@dataclass(frozen=True, kw_only=True)
class Price:
    """Something that a subscription can be changed to: per unit and interval, and known beforehand."""

    id: str
    product: str
    name: str
    """The product's, as customers see it."""
    amount: Money
    interval: Literal["day", "week", "month", "year"]
    interval_count: int

    @property
    def every(self) -> str:
        """What it is for: `month`, or `3 months`."""
        return span(self.interval, self.interval_count)


@dataclass(frozen=True, kw_only=True)
class PortalLink:
    """Whoever holds it is the customer for some minutes: for the verified owner alone, never stored, never logged."""

    url: str = field(repr=False)


class MoneyMover(Protocol):
    """The only power to change anything at Stripe.

    Every method takes an idempotency key with no default, and writes our action id into Stripe's metadata: onto what
    it makes, and beside the change of what lives on, where each power keeps its own mark (`actions`).
    Raises `BillingRefused` when Stripe says no, and `NotSent` when nothing left us: nothing happened for certain.
    Raises `OutcomeUnknown` when no answer came: it may have happened. The same call with the same key is safe for a
    day; how a reader finds out without one is said at each method.
    """

    async def refund(
        self, *, charge: str, amount: Money, reason: RefundReason, action_id: str, idempotency_key: str
    ) -> Refund:
        """Unknown: `refunds_of(charge)` has one with our `action_id`, or it did not happen."""
        ...

    async def credit_note(
        self,
        *,
        invoice: str,
        amount: Money | None,
        lines: tuple[CreditLine, ...] = (),
        refund_amount: Money | None = None,
        credit_amount: Money | None = None,
        reason: CreditReason,
        memo: str = "",
        action_id: str,
        idempotency_key: str,
    ) -> CreditNote:
        """Corrects an invoice with its tax: `amount`, or else `lines`.

        On an open invoice it lowers what remains. On a paid one, `refund_amount` goes back to the card and
        `credit_amount` to the credit balance; together they are the whole note.
        Unknown: `credit_notes(customer)` has one with our `action_id`, or it did not happen.
        """
        ...

    async def add_credit(
        self, *, customer: str, amount: Money, description: str, action_id: str, idempotency_key: str
    ) -> CreditEntry:
        """Credit that the next invoices use, as a positive amount.

        Unknown: `credit_entries(customer)` has one with our `action_id`, or it did not happen.
        """
        ...

    async def pay_instalment(
        self,
        *,
        invoice: str,
        customer: str,
        amount: Money,
        payment_method: str,
        action_id: str,
        idempotency_key: str,
    ) -> Instalment:
        """Charges the card and counts it towards the open invoice. The amount is at most what remains.

        Unknown: `instalments(customer)` has one with our `action_id`; only the status `succeeded` has moved money.
        """
        ...

    async def stop_collection(
        self, *, invoice: str, until: datetime | None = None, action_id: str, idempotency_key: str
    ) -> Invoice:
        """Hands the open invoice to our payment plan: Stripe no longer collects the remainder by itself.

        With `until`, we wait for the customer to pay it; whoever looks at it in Stripe sees the day in its metadata.
        Unknown: the invoice's `actions` name ours, or it did not happen. A repeat does no harm.
        """
        ...

    async def start_collection(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        """Hands the open invoice back to Stripe, when the time to wait is over or a plan has ended: it reminds, or
        charges the customer's default card, whenever it sees fit.

        Unknown: the invoice's `actions` name ours, or it did not happen. A repeat does no harm.
        """
        ...

    async def extend_due_date(self, *, invoice: str, due: datetime, action_id: str, idempotency_key: str) -> Invoice:
        """Works for drafts alone: Stripe refuses it for a final invoice, with reason `invoice_not_editable`.

        Unknown: the invoice's `due`.
        """
        ...

    async def resend_invoice(self, *, invoice: str, action_id: str, idempotency_key: str) -> Invoice:
        """Stripe mails the invoice to the customer's address.

        Unknown: `was_mailed(invoice)` under this key, or it did not happen.
        """
        ...

    async def cancel_at_period_end(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        """Unknown: the subscription's `actions` name ours, or it did not happen; the end may be anybody's."""
        ...

    async def undo_cancel(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        """Takes a planned end back, at the period's end or on a day. What has ended stays ended.

        Unknown: the subscription's `actions` name ours and no end is planned; else it did not happen, or not whole.
        """
        ...

    async def cancel_now(
        self, *, subscription: str, credit_unused: bool, action_id: str, idempotency_key: str
    ) -> Subscription:
        """Ends it for good. Unused time becomes credit on the balance, never money back: that is a refund.

        Unknown: `status` is `canceled`, or it did not happen.
        """
        ...

    async def pause_collection(
        self,
        *,
        subscription: str,
        resumes_at: datetime | None,
        behaviour: PauseBehaviour = "void",
        action_id: str,
        idempotency_key: str,
    ) -> Subscription:
        """Its invoices are not collected until then; without a date, until it is resumed.

        Unknown: the subscription's `actions` name ours, or it did not happen; so for all that follow.
        """
        ...

    async def resume_collection(self, *, subscription: str, action_id: str, idempotency_key: str) -> Subscription:
        """Unknown: as above."""
        ...

    async def change_subscription(
        self, *, subscription: str, change: PlanChange, action_id: str, idempotency_key: str
    ) -> Subscription:
        """As `preview_change` showed it for the same change. When a payment is due now and fails, nothing changes.

        Unknown: as above.
        """
        ...

    async def update_billing_details(
        self, *, customer: str, details: BillingDetails, action_id: str, idempotency_key: str
    ) -> Customer:
        """The tax id first, for it is the likelier to be refused. When only the rest is, that is an unknown outcome.

        Unknown: the customer's `actions` name ours once all of it is done; a repeat does no harm.
        """
        ...

    async def portal_link(
        self, *, customer: str, flow: PortalFlow, subscription: str | None = None, return_url: str, idempotency_key: str
    ) -> PortalLink:
        """Changes nothing by itself, so an unknown outcome means only that there is no link to show."""
        ...
