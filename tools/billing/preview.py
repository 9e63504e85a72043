"""What a change of a subscription would cost, asked in the very words in which it would be made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import stripe

from tools.billing.pages import one
from tools.billing.powers import CostPreview, PlanChange
from tools.billing.retry import Retry
from tools.billing.translate import Json, entries, invoice_of, moment
from tools.errors import BillingUnavailable, NotFound
from tools.money import Money

if TYPE_CHECKING:
    from stripe.params import InvoiceCreatePreviewParamsSubscriptionDetailsItem

Behaviour = Literal["always_invoice", "create_prorations", "none"]
PRORATION: Mapping[str, Behaviour] = {"now": "always_invoice", "next_invoice": "create_prorations", "never": "none"}


def changed_item(change: PlanChange) -> "InvoiceCreatePreviewParamsSubscriptionDetailsItem":
    item: InvoiceCreatePreviewParamsSubscriptionDetailsItem = {"id": change.item}
    if change.price is not None:
        item["price"] = change.price
    if change.quantity is not None:
        item["quantity"] = change.quantity
    return item


async def preview_change(
    client: stripe.StripeClient, retry: Retry, subscription: str, change: PlanChange
) -> CostPreview:
    """Billed now, the difference and the next invoice are two previews; else the next invoice holds both.

    Another interval starts anew today and is billed at once whatever was asked for; only what is left of the old one
    counts as was asked. What Stripe refuses to preview cannot be had: `NotFound`.
    """
    anew = await _starts_anew(client, retry, subscription, change)
    if change.billed != "now" and not anew:
        following = await _preview(client, retry, subscription, change, PRORATION[change.billed])
        nothing = Money(0, following["currency"])
        return _costs(change, nothing, nothing, following, lines_of=following)
    at_once = await _preview(client, retry, subscription, change, PRORATION[change.billed])
    following = await _preview(client, retry, subscription, change, "none")
    due = Money(at_once["amount_due"], at_once["currency"])
    credit = Money(max(0, -at_once["total"]), at_once["currency"])
    costs = _costs(change, due, credit, following, lines_of=at_once)
    # Without prorations, this preview is the invoice of today: the next one comes when what it is for is over.
    return replace(costs, next_at=max(line.period_end for line in invoice_of(following, ()).lines)) if anew else costs


async def _starts_anew(client: stripe.StripeClient, retry: Retry, subscription: str, change: PlanChange) -> bool:
    """Whether the new price is for another interval."""
    wanted = change.price
    if wanted is None:
        return False
    held = await _answer(retry, lambda: client.v1.subscriptions.retrieve_async(subscription))
    price = await _answer(retry, lambda: client.v1.prices.retrieve_async(wanted))
    now = next((item["price"] for item in entries(held["items"]) if item["id"] == change.item), price)
    return _interval(now) != _interval(price)


def _interval(price: Json) -> tuple[str | None, int | None]:
    recurring = price.get("recurring") or {}
    return recurring.get("interval"), recurring.get("interval_count")


async def _preview(
    client: stripe.StripeClient, retry: Retry, subscription: str, change: PlanChange, behaviour: Behaviour
) -> Json:
    """A POST that changes nothing, and so a read."""
    return await _answer(
        retry,
        lambda: client.v1.invoices.create_preview_async(
            {
                "subscription": subscription,
                "subscription_details": {
                    "items": [changed_item(change)],
                    "proration_behavior": behaviour,
                    "proration_date": int(change.proration_date.timestamp()),
                },
            }
        ),
    )


async def _answer(retry: Retry, request: Callable[[], Awaitable[stripe.StripeObject]]) -> Json:
    try:
        return await one(retry, request)
    except BillingUnavailable as error:
        said = error.__cause__
        if isinstance(said, stripe.InvalidRequestError) and said.error is not None:
            raise NotFound from error
        raise


def _costs(change: PlanChange, due_now: Money, credit: Money, following: Json, *, lines_of: Json) -> CostPreview:
    at = following.get("next_payment_attempt") or following.get("period_end")
    return CostPreview(
        due_now=due_now,
        credit=credit,
        next_invoice=Money(following["amount_due"], following["currency"]),
        next_at=moment(at) if at else None,
        lines=invoice_of(lines_of, ()).lines,
        change=change,
    )
