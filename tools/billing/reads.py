"""What is asked of Stripe, and answered as plain JSON whose inner lists are complete."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import stripe

from tools.billing.pages import PAGE, completed, everything, one
from tools.billing.retry import Retry
from tools.billing.translate import Json, products_of
from tools.billing.turns import Turns

Result = TypeVar("Result")


class StripeReads:
    """Every GET that Counterfoil makes. Raises `NotFound` and `BillingUnavailable`."""

    def __init__(self, client: stripe.StripeClient, retry: Retry, turns: Turns) -> None:
        self._v1 = client.v1
        self._retry = retry
        self._turns = turns

    async def any_customer(self) -> None:
        await one(self._retry, lambda: self._v1.customers.list_async({"limit": 1}))

    async def customers_with_email(self, email: str) -> list[Json]:
        """Stripe compares case too."""
        return await everything(self._retry, self._v1.customers.list_async, {"email": email})

    async def customers_matching(self, query: str) -> list[Json]:
        """One page of the search index, which lags up to a minute behind."""
        page = await one(self._retry, lambda: self._v1.customers.search_async({"query": query, "limit": PAGE}))
        return list(page["data"])

    async def newest_customers(self) -> list[Json]:
        return await everything(self._retry, self._v1.customers.list_async, {})

    async def customer(self, customer: str) -> Json:
        return await one(self._retry, lambda: self._v1.customers.retrieve_async(customer))

    async def charge(self, charge: str) -> Json:
        raw = await one(self._retry, lambda: self._v1.charges.retrieve_async(charge, {"expand": ["refunds"]}))
        return await self._whole_charge(raw)

    async def charges(self, customer: str) -> list[Json]:
        params = {"customer": customer, "expand": ["data.refunds"]}
        found = await everything(self._retry, self._v1.charges.list_async, params)
        return await together(self._whole_charge(raw) for raw in found)

    async def refunds(self, charge: str) -> list[Json]:
        return await everything(self._retry, self._v1.refunds.list_async, {"charge": charge})

    async def invoice(self, invoice: str) -> Json:
        expand = ["payments.data.payment.payment_intent"]
        raw = await one(self._retry, lambda: self._v1.invoices.retrieve_async(invoice, {"expand": expand}))
        return await self._whole_invoice(raw, expand=["data.payment.payment_intent"])

    async def invoices(self, customer: str) -> list[Json]:
        # The intents stay ids here: expanding them would be a fifth level, which Stripe refuses.
        params = {"customer": customer, "expand": ["data.payments"]}
        found = await everything(self._retry, self._v1.invoices.list_async, params)
        return await together(self._whole_invoice(raw) for raw in found)

    async def invoice_behind(self, payment_intent: str) -> Json | None:
        """The invoice that an intent pays; Stripe links the two only through InvoicePayments."""
        payments = await everything(
            self._retry,
            self._v1.invoice_payments.list_async,
            {
                "payment": {"type": "payment_intent", "payment_intent": payment_intent},
                "expand": ["data.invoice"],
            },
        )
        return payments[0]["invoice"] if payments else None

    async def subscription(self, subscription: str) -> Json:
        expand = ["items.data.price.product"]
        raw = await one(self._retry, lambda: self._v1.subscriptions.retrieve_async(subscription, {"expand": expand}))
        return await self._whole_subscription(raw)

    async def subscriptions(self, customer: str) -> list[Json]:
        params = {"customer": customer, "status": "all"}
        found = await everything(self._retry, self._v1.subscriptions.list_async, params)
        return await together(self._whole_subscription(raw) for raw in found)

    async def product_names(self, subscriptions: Iterable[Json]) -> dict[str, str]:
        """By product id: in a list of subscriptions, products lie too deep to be expanded."""
        ids = sorted({product for raw in subscriptions for product in products_of(raw)})
        found = await together(self._product(product) for product in ids)
        return {product["id"]: product["name"] for product in found}

    async def _product(self, product: str) -> Json:
        return await one(self._retry, lambda: self._v1.products.retrieve_async(product))

    async def _whole_charge(self, raw: Json) -> Json:
        self._turns.learn(raw)
        refunds = await completed(self._retry, raw.get("refunds"), self._v1.refunds.list_async, {"charge": raw["id"]})
        return {**raw, "refunds": {"data": refunds}}

    async def _whole_invoice(self, raw: Json, *, expand: list[str] | None = None) -> Json:
        self._turns.learn(raw)
        lines = await completed(
            self._retry,
            raw["lines"],
            lambda params: self._v1.invoices.line_items.list_async(raw["id"], params),
            {},
        )
        payments = await completed(
            self._retry,
            raw.get("payments"),
            self._v1.invoice_payments.list_async,
            {"invoice": raw["id"], "expand": expand or []},
        )
        return {**raw, "lines": {"data": lines}, "payments": {"data": payments}}

    async def _whole_subscription(self, raw: Json) -> Json:
        self._turns.learn(raw)
        items = await completed(
            self._retry, raw["items"], self._v1.subscription_items.list_async, {"subscription": raw["id"]}
        )
        return {**raw, "items": {"data": items}}


async def together(reads: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All results in order; the first failure cancels the rest."""
    async with tasks() as group:
        running = [group.create_task(read) for read in reads]
    return [task.result() for task in running]


@asynccontextmanager
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises its first failure as it is, so that callers can catch it by name."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
