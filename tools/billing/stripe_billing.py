"""Reads of one customer's billing over Stripe's API. Fails closed: no data is `BillingUnavailable`."""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, Self, TypeVar

import stripe

from tools.billing.breaker import Breaker, BreakerState
from tools.billing.finding import CustomerFinder
from tools.billing.ids import is_stripe_id
from tools.billing.mover import StripeMover
from tools.billing.pages import Listing
from tools.billing.powers import CostPreview, HeldDetails, Instalment, PlanChange, Price
from tools.billing.preview import preview_change
from tools.billing.reads import StripeReads, tasks
from tools.billing.retry import Retry
from tools.billing.translate import (
    Json,
    card_of,
    charge_of,
    charges_in,
    customer_of,
    entries,
    has_credit_notes,
    identifier,
    invoice_of,
    refund_of,
)
from tools.billing.translate_credit import credit_entry_of, credit_note_of, dispute_of, instalment_of
from tools.billing.translate_details import held_details_of, mailing_of
from tools.billing.translate_plans import names_in, price_of, subscription_of
from tools.billing.transport import HttpxTransport
from tools.billing.turns import Turns
from tools.billing.types import (
    BillingPicture,
    Card,
    Charge,
    CreditEntry,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Refund,
    Subscription,
)
from tools.billing.writer import MAILING, key_of
from tools.errors import BillingUnavailable, ConfigurationError, NotFound

_LIVE = ("sk_live_", "rk_live_")


class _Dated(Protocol):
    @property
    def created(self) -> datetime: ...


Dated = TypeVar("Dated", bound=_Dated)


class StripeBilling:
    """A `BillingReader`. Nothing that it returns is an object of Stripe's SDK."""

    def __init__(
        self,
        client: stripe.StripeClient,
        *,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        region: str = "US",
    ) -> None:
        self._client = client
        self._breaker = breaker or Breaker()
        self._retry = replace(retry or Retry(), breaker=self._breaker)
        self._turns = Turns()
        self._reads = StripeReads(client, self._retry, self._turns)
        self._finder = CustomerFinder(self._reads, region=region)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        api_key: str,
        base_url: str | None = None,
        *,
        seconds: float = 10.0,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        region: str = "US",
    ) -> AsyncIterator[Self]:
        """`seconds` is the patience with one request, `region` the country of phones that name none."""
        if base_url and api_key.startswith(_LIVE):
            raise ConfigurationError("A live Stripe key is only ever sent to Stripe: unset the base URL.")
        _quieten()
        http = HttpxTransport(seconds=seconds)
        try:
            yield cls(_client(api_key, base_url, http), retry=retry, breaker=breaker, region=region)
        finally:
            await http.close_async()

    @property
    def breaker_state(self) -> BreakerState:
        """Whether Stripe is being asked at all: open means that it fell silent a moment ago."""
        return self._breaker.state

    def mover(self) -> StripeMover:
        """The power to change things, for the one node that may."""
        return StripeMover(self._client, retry=self._retry, turns=self._turns)

    async def ping(self) -> None:
        """Raises `ConfigurationError` when the key is not accepted, `BillingUnavailable` on silence."""
        try:
            await self._reads.any_customer()
        except BillingUnavailable as error:
            if isinstance(error.__cause__, stripe.AuthenticationError | stripe.PermissionError):
                raise ConfigurationError("Stripe does not accept this secret key.") from error
            raise

    async def find_by_email(self, email: str) -> tuple[Customer, ...]:
        return await self._finder.by_email(email)

    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]:
        return await self._finder.by_phone(phone)

    async def customer(self, customer: str) -> Customer:
        return _living(await self._reads.customer(_checked(customer)))

    async def billing_details(self, customer: str) -> HeldDetails:
        async with tasks() as group:
            about = group.create_task(self._reads.customer(_checked(customer)))
            numbers = group.create_task(self._reads.tax_ids(customer))
        _living(about.result())
        return held_details_of(about.result(), numbers.result())

    async def picture(self, customer: str) -> BillingPicture:
        """Two rounds of requests, each concurrent, and one more where there are disputes or credit notes.

        A list of more than a hundred takes a round per hundred.
        """
        read_at = datetime.now(UTC)
        async with tasks() as group:
            invoicing = group.create_task(self._invoices(_checked(customer)))
            charging = group.create_task(self._charges(customer))
            subscribing = group.create_task(self._subscribed(customer))
        (invoiced, notes), (charged, disputed) = invoicing.result(), charging.result()
        about, subscriptions, all_subscriptions = subscribing.result()
        behind = _invoices_by_payment(invoiced.entries)
        charges = tuple(
            charge_of(raw, behind.get(_payment_key(raw)), _disputes(disputed, raw["id"])) for raw in charged.entries
        )
        paid = {charge.payment_intent: charge.id for charge in charges if charge.status == "succeeded"}
        return BillingPicture(
            customer=about,
            invoices=_newest(_invoice_with(raw, charges, paid) for raw in invoiced.entries),
            charges=_newest(charges),
            refunds=_newest(refund_of(refund) for raw in charged.entries for refund in entries(raw["refunds"])),
            subscriptions=subscriptions,
            read_at=read_at,
            disputes=_newest(dispute for charge in charges for dispute in charge.disputes),
            credit_notes=notes,
            complete=invoiced.complete and charged.complete and all_subscriptions,
        )

    async def charge(self, charge: str) -> Charge:
        raw = await self._reads.charge(_checked(charge))
        intent = identifier(raw.get("payment_intent"))
        async with tasks() as group:
            disputed = group.create_task(self._reads.disputes_behind([raw]))
            paid = group.create_task(self._reads.invoice_behind(intent)) if intent else None
        return charge_of(raw, paid.result() if paid else None, _disputes(disputed.result(), raw["id"]))

    async def invoice(self, invoice: str) -> Invoice:
        raw = await self._reads.invoice(_checked(invoice))
        return invoice_of(raw, charges_in(raw))

    async def subscription(self, subscription: str) -> Subscription:
        raw = await self._reads.subscription(_checked(subscription))
        return subscription_of(raw, names_in(raw))

    async def card(self, payment_method: str) -> Card | None:
        """What is behind a payment method that is kept for later; None where that is no card."""
        return card_of(await self._reads.payment_method(_checked(payment_method)))

    async def refund(self, refund: str) -> Refund:
        return refund_of(await self._reads.refund(_checked(refund)))

    async def dispute(self, dispute: str) -> Dispute:
        return dispute_of(await self._reads.dispute(_checked(dispute)))

    async def refunds_of(self, charge: str) -> tuple[Refund, ...]:
        return _newest(refund_of(raw) for raw in await self._reads.refunds(_checked(charge)))

    async def disputes_of(self, charge: str) -> tuple[Dispute, ...]:
        return _newest(dispute_of(raw) for raw in await self._reads.disputes(_checked(charge)))

    async def credit_notes(self, customer: str) -> tuple[CreditNote, ...]:
        return _newest(credit_note_of(raw) for raw in await self._reads.credit_notes(_checked(customer)))

    async def credit_entries(self, customer: str) -> tuple[CreditEntry, ...]:
        """In the order that Stripe gives: entries of one second say nothing about which came first."""
        return tuple(credit_entry_of(raw) for raw in await self._reads.credit_entries(_checked(customer)))

    async def instalments(self, customer: str) -> tuple[Instalment, ...]:
        """The payments that `pay_instalment` began, whatever became of them."""
        found = await self._reads.payment_intents(_checked(customer))
        return tuple(instalment_of(raw) for raw in found if "invoice" in (raw.get("metadata") or {}))

    async def was_mailed(self, invoice: str, *, idempotency_key: str, since: datetime) -> bool:
        """Whether `resend_invoice` under this key went through after `since`, which is not more than 30 days ago."""
        mailed = key_of(idempotency_key, MAILING)
        found = await self._reads.mailings(int(since.timestamp()))
        return any(mailing_of(raw) == (invoice, mailed) for raw in found)

    async def prices(self) -> tuple[Price, ...]:
        """What is for sale by subscription, by name and then the cheapest first."""
        found = (price_of(raw) for raw in await self._reads.prices())
        return tuple(sorted((price for price in found if price), key=lambda price: (price.name, price.amount.amount)))

    async def preview_change(self, subscription: str, change: PlanChange) -> CostPreview:
        """What the change would cost; made with the same `proration_date`, it costs that. `NotFound` when Stripe would
        not make it.
        """
        return await preview_change(self._client, self._retry, _checked(subscription), change)

    async def _charges(self, customer: str) -> tuple[Listing, dict[str, list[Json]]]:
        found = await self._reads.charges(customer)
        return found, await self._reads.disputes_behind(found.entries)

    async def _invoices(self, customer: str) -> tuple[Listing, tuple[CreditNote, ...]]:
        found = await self._reads.invoices(customer)
        noted = any(map(has_credit_notes, found.entries))
        return found, await self.credit_notes(customer) if noted else ()

    async def _subscribed(self, customer: str) -> tuple[Customer, tuple[Subscription, ...], bool]:
        """The customer comes with the newest subscription; who never had one is asked for."""
        found = await self._reads.subscriptions(customer)
        latest = sorted(found.entries, key=lambda raw: raw["created"], reverse=True)
        if not latest:
            return _living(await self._reads.customer(customer)), (), found.complete
        about = _living(latest[0]["customer"])
        names = await self._reads.product_names(latest)
        return about, tuple(subscription_of(raw, names) for raw in latest), found.complete


def _client(api_key: str, base_url: str | None, http: stripe.HTTPClient) -> stripe.StripeClient:
    """Without retries of its own: `retry.py` knows which are safe."""
    return stripe.StripeClient(
        api_key,
        max_network_retries=0,
        base_addresses={"api": base_url.rstrip("/")} if base_url else {},
        http_client=http,
    )


def _quieten() -> None:
    """Stripe's logger prints e-mail addresses in URLs, and its telemetry writes into the home directory."""
    stripe.enable_telemetry = False
    for name in ("stripe", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _checked(stripe_id: str) -> str:
    if not is_stripe_id(stripe_id):
        raise NotFound
    return stripe_id


def _living(customer: Json) -> Customer:
    if customer.get("deleted"):
        raise NotFound
    return customer_of(customer)


def _newest(found: Iterable[Dated]) -> tuple[Dated, ...]:
    return tuple(sorted(found, key=lambda entry: entry.created, reverse=True))


def _payment_key(charge: Json) -> str:
    return identifier(charge.get("payment_intent")) or str(charge["id"])


def _invoices_by_payment(invoices: Iterable[Json]) -> dict[str, Json]:
    """Invoices by the payment intent, or legacy charge, of each of their InvoicePayments."""
    found = {}
    for invoice in invoices:
        for entry in entries(invoice["payments"]):
            by = entry["payment"]
            key = identifier(by.get("payment_intent")) or identifier(by.get("charge"))
            if key:
                found[key] = invoice
    return found


def _disputes(found: Mapping[str, list[Json]], charge: str) -> tuple[Dispute, ...]:
    return _newest(dispute_of(raw) for raw in found.get(charge, ()))


def _invoice_with(raw: Json, charges: Iterable[Charge], paid: Mapping[str | None, str]) -> Invoice:
    """In a list the intents are ids, so whose charges they became comes from the charges."""
    invoice = invoice_of(raw, _paid_by(raw, charges))
    known = (replace(each, charge=each.charge or paid.get(each.payment_intent)) for each in invoice.payments)
    return replace(invoice, payments=tuple(known))


def _paid_by(invoice: Json, charges: Iterable[Charge]) -> tuple[str, ...]:
    return tuple(c.id for c in charges if c.invoice == invoice["id"] and c.status == "succeeded" and c.captured)
