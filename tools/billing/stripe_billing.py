"""Reads of one customer's billing over Stripe's API. Fails closed: no data is `BillingUnavailable`."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, Self, TypeVar

import stripe

from tools.billing import contact
from tools.billing.breaker import Breaker, BreakerState
from tools.billing.ids import is_stripe_id
from tools.billing.mover import StripeMover
from tools.billing.reads import StripeReads, tasks, together
from tools.billing.retry import Retry
from tools.billing.translate import (
    Json,
    charge_of,
    charges_in,
    customer_of,
    entries,
    identifier,
    invoice_of,
    names_in,
    refund_of,
    subscription_of,
)
from tools.billing.transport import HttpxTransport
from tools.billing.turns import Turns
from tools.billing.types import BillingPicture, Charge, Customer, Invoice, Refund, Subscription
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
        self._region = region

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
        """In whatever case it was stored: Stripe's list is exact, and its search is late."""
        address = contact.email_of(email)
        if address is None:
            return ()
        reads = [self._reads.customers_with_email(spelt) for spelt in sorted({address, address.lower()})]
        if contact.may_be_searched(address):
            reads.append(self._searched(contact.any_of("email", [address]), otherwise=_nobody))
        found = [raw for answer in await together(reads) for raw in answer]
        return _customers(raw for raw in found if contact.same_email(raw.get("email"), address))

    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]:
        number = contact.phone_of(phone, region=self._region)
        if number is None:
            return ()
        query = contact.any_of("phone", contact.spellings(number))
        found = await self._searched(query, otherwise=self._reads.newest_customers)
        return _customers(
            raw for raw in found if contact.phone_of(raw.get("phone") or "", region=self._region) == number
        )

    async def picture(self, customer: str) -> BillingPicture:
        """Two rounds of requests, each concurrent, and one more per further hundred of a list."""
        read_at = datetime.now(UTC)
        async with tasks() as group:
            about = group.create_task(self._customer(_checked(customer)))
            charged = group.create_task(self._reads.charges(customer))
            invoiced = group.create_task(self._reads.invoices(customer))
            subscribed = group.create_task(self._subscriptions(customer))
        behind = _invoices_by_payment(invoiced.result())
        charges = tuple(charge_of(raw, behind.get(_payment_key(raw))) for raw in charged.result())
        return BillingPicture(
            customer=about.result(),
            invoices=_newest(invoice_of(raw, _paid_by(raw, charges)) for raw in invoiced.result()),
            charges=_newest(charges),
            refunds=_newest(refund_of(refund) for raw in charged.result() for refund in entries(raw["refunds"])),
            subscriptions=subscribed.result(),
            read_at=read_at,
        )

    async def charge(self, charge: str) -> Charge:
        raw = await self._reads.charge(_checked(charge))
        intent = identifier(raw.get("payment_intent"))
        return charge_of(raw, await self._reads.invoice_behind(intent) if intent else None)

    async def invoice(self, invoice: str) -> Invoice:
        raw = await self._reads.invoice(_checked(invoice))
        return invoice_of(raw, charges_in(raw))

    async def subscription(self, subscription: str) -> Subscription:
        raw = await self._reads.subscription(_checked(subscription))
        return subscription_of(raw, names_in(raw))

    async def refunds_of(self, charge: str) -> tuple[Refund, ...]:
        return _newest(refund_of(raw) for raw in await self._reads.refunds(_checked(charge)))

    async def _customer(self, customer: str) -> Customer:
        raw = await self._reads.customer(customer)
        if raw.get("deleted"):
            raise NotFound
        return customer_of(raw)

    async def _subscriptions(self, customer: str) -> tuple[Subscription, ...]:
        found = await self._reads.subscriptions(customer)
        names = await self._reads.product_names(found)
        latest = sorted(found, key=lambda raw: raw["created"], reverse=True)
        return tuple(subscription_of(raw, names) for raw in latest)

    async def _searched(self, query: str, *, otherwise: Callable[[], Awaitable[list[Json]]]) -> list[Json]:
        """`otherwise` stands in where Stripe has no search at all, as for merchants in India."""
        try:
            return await self._reads.customers_matching(query)
        except BillingUnavailable as error:
            if isinstance(error.__cause__, stripe.InvalidRequestError):
                return await otherwise()
            raise


async def _nobody() -> list[Json]:
    return []


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


def _customers(found: Iterable[Json]) -> tuple[Customer, ...]:
    living = {raw["id"]: raw for raw in found if not raw.get("deleted")}
    newest = sorted(living.values(), key=lambda raw: (raw["created"], raw["id"]), reverse=True)
    return tuple(map(customer_of, newest))


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


def _paid_by(invoice: Json, charges: Iterable[Charge]) -> tuple[str, ...]:
    return tuple(c.id for c in charges if c.invoice == invoice["id"] and c.status == "succeeded" and c.captured)
