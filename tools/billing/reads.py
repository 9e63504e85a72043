"""What is asked of Stripe, and answered as plain JSON whose inner lists are complete."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

import stripe

from tools.billing.pages import MOST, PAGE, Listing, completed, everything, one
from tools.billing.retry import Retry
from tools.billing.translate import Json
from tools.billing.translate_plans import products_of
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
        return (await everything(self._retry, self._v1.customers.list_async, {"email": email})).entries

    async def customers_matching(self, query: str) -> list[Json]:
        """From the search index, which lags up to a minute behind, up to its bound."""
        found: list[Json] = []
        asked: Json = {"query": query, "limit": PAGE}
        while True:
            page = await one(self._retry, partial(self._v1.customers.search_async, cast("Any", asked)))
            found.extend(page["data"])
            if not page.get("next_page") or len(found) >= MOST:
                return found
            asked = {**asked, "page": page["next_page"]}

    async def newest_customers(self) -> list[Json]:
        return (await everything(self._retry, self._v1.customers.list_async, {})).entries

    async def customer(self, customer: str) -> Json:
        return await one(self._retry, lambda: self._v1.customers.retrieve_async(customer))

    async def tax_ids(self, customer: str) -> list[Json]:
        listed = partial(self._v1.customers.tax_ids.list_async, customer)
        return (await everything(self._retry, listed, {})).entries

    async def payment_method(self, payment_method: str) -> Json:
        return await one(self._retry, lambda: self._v1.payment_methods.retrieve_async(payment_method))

    async def prices(self) -> list[Json]:
        params = {"active": True, "type": "recurring", "expand": ["data.product"]}
        return (await everything(self._retry, self._v1.prices.list_async, params)).entries

    async def mailings(self, since: int) -> list[Json]:
        """Events of invoices that were mailed; Stripe keeps them for thirty days, and lists them by no invoice."""
        params = {"type": "invoice.sent", "created": {"gte": since}}
        return (await everything(self._retry, self._v1.events.list_async, params)).entries

    async def charge(self, charge: str) -> Json:
        raw = await one(self._retry, lambda: self._v1.charges.retrieve_async(charge, {"expand": ["refunds"]}))
        return await self._whole_charge(raw)

    async def charges(self, customer: str) -> Listing:
        params = {"customer": customer, "expand": ["data.refunds"]}
        found = await everything(self._retry, self._v1.charges.list_async, params)
        return await _each(found, self._whole_charge)

    async def refund(self, refund: str) -> Json:
        return await one(self._retry, lambda: self._v1.refunds.retrieve_async(refund))

    async def dispute(self, dispute: str) -> Json:
        return await one(self._retry, lambda: self._v1.disputes.retrieve_async(dispute))

    async def refunds(self, charge: str) -> list[Json]:
        return (await everything(self._retry, self._v1.refunds.list_async, {"charge": charge})).entries

    async def disputes(self, charge: str) -> list[Json]:
        return (await everything(self._retry, self._v1.disputes.list_async, {"charge": charge})).entries

    async def disputes_behind(self, charges: Iterable[Json]) -> dict[str, list[Json]]:
        """By charge. Stripe lists them by nothing wider, so only the charges that say they were disputed are asked."""
        disputed = [raw["id"] for raw in charges if raw["disputed"]]
        found = await together(self.disputes(charge) for charge in disputed)
        return dict(zip(disputed, found, strict=True))

    async def credit_notes(self, customer: str) -> list[Json]:
        return (await everything(self._retry, self._v1.credit_notes.list_async, {"customer": customer})).entries

    async def credit_entries(self, customer: str) -> list[Json]:
        listed = partial(self._v1.customers.balance_transactions.list_async, customer)
        return (await everything(self._retry, listed, {})).entries

    async def payment_intents(self, customer: str) -> list[Json]:
        return (await everything(self._retry, self._v1.payment_intents.list_async, {"customer": customer})).entries

    async def invoice(self, invoice: str) -> Json:
        expand = ["payments.data.payment.payment_intent", "discounts.source.coupon"]
        raw = await one(self._retry, lambda: self._v1.invoices.retrieve_async(invoice, {"expand": expand}))
        return await self._whole_invoice(raw, expand=["data.payment.payment_intent"])

    async def invoices(self, customer: str) -> Listing:
        # The intents stay ids here: expanding them would be a fifth level, which Stripe refuses.
        params = {"customer": customer, "expand": ["data.payments", "data.discounts.source.coupon"]}
        found = await everything(self._retry, self._v1.invoices.list_async, params)
        return await _each(found, self._whole_invoice)

    async def invoice_behind(self, payment_intent: str) -> Json | None:
        """The invoice that an intent pays; Stripe links the two only through InvoicePayments."""
        found = await everything(
            self._retry,
            self._v1.invoice_payments.list_async,
            {
                "payment": {"type": "payment_intent", "payment_intent": payment_intent},
                "expand": ["data.invoice"],
            },
        )
        return found.entries[0]["invoice"] if found.entries else None

    async def subscription(self, subscription: str) -> Json:
        expand = ["items.data.price.product", "discounts.source.coupon"]
        raw = await one(self._retry, lambda: self._v1.subscriptions.retrieve_async(subscription, {"expand": expand}))
        return await self._whole_subscription(raw)

    async def subscriptions(self, customer: str) -> Listing:
        """Each brings the whole customer along, which saves asking for them."""
        params = {"customer": customer, "status": "all", "expand": ["data.customer", "data.discounts.source.coupon"]}
        found = await everything(self._retry, self._v1.subscriptions.list_async, params)
        return await _each(found, self._whole_subscription)

    async def product_names(self, subscriptions: Iterable[Json]) -> dict[str, str]:
        """By product id: in a list of subscriptions, products lie too deep to be expanded."""
        ids = sorted({product for raw in subscriptions for product in products_of(raw)})
        pages = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
        found = await together(everything(self._retry, self._v1.products.list_async, {"ids": page}) for page in pages)
        return {product["id"]: product["name"] for listing in found for product in listing.entries}

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


async def _each(found: Listing, complete: Callable[[Json], Coroutine[Any, Any, Json]]) -> Listing:
    """The same listing of objects whose inner lists are whole."""
    return Listing(await together(complete(raw) for raw in found.entries), complete=found.complete)


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
