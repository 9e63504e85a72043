"""Stripe's JSON into our nouns. Unknown fields are ignored; text is somebody else's and is cleaned."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

from tools.billing.types import Card, Charge, Customer, Invoice, InvoiceLine, Refund, Subscription
from tools.money import Money

Json = dict[str, Any]

LONGEST_TEXT = 300
RETURNED = frozenset({"failed", "canceled"})
"""Refunds whose money is back with us; all others use up the charge."""


def clean(text: str | None, *, longest: int = LONGEST_TEXT) -> str:
    """One line without control, format or surrogate characters, of bounded length."""
    shown = "".join(" " if _is_hidden(letter) else letter for letter in (text or "")[: longest * 4])
    line = " ".join(shown.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029"


def identifier(value: Any) -> str | None:
    """Of a reference that may or may not be expanded."""
    if isinstance(value, Mapping):
        return cast("str", value["id"])
    return cast("str | None", value)


def entries(listing: Json | None) -> list[Json]:
    """Of a list object that may not have been asked for."""
    return cast("list[Json]", listing["data"]) if listing else []


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def customer_of(raw: Json) -> Customer:
    currency = raw.get("currency")
    return Customer(
        id=raw["id"],
        email=clean(raw.get("email")) or None,
        name=clean(raw.get("name")) or None,
        phone=clean(raw.get("phone"), longest=40) or None,
        balance=Money(raw.get("balance") or 0, currency) if currency else None,
    )


def charge_of(raw: Json, invoice: Json | None) -> Charge:
    """`raw` has all its refunds; of the invoice behind it only id and number are read."""
    currency = raw["currency"]
    refunds = map(refund_of, entries(raw.get("refunds")))
    used = sum(refund.amount.amount for refund in refunds if refund.status not in RETURNED)
    return Charge(
        id=raw["id"],
        payment_intent=identifier(raw.get("payment_intent")),
        amount=Money(raw["amount"], currency),
        captured=Money(raw["amount_captured"], currency),
        # Whichever is more: a pending refund may not be in the total yet.
        refunded=Money(max(raw["amount_refunded"], used), currency),
        status=raw["status"],
        disputed=raw["disputed"],
        created=moment(raw["created"]),
        description=clean(raw.get("description")),
        card=_card_of(raw),
        invoice=invoice["id"] if invoice else None,
        invoice_number=clean(invoice.get("number")) or None if invoice else None,
        order_id=clean((raw.get("metadata") or {}).get("order_id"), longest=100) or None,
    )


def _card_of(raw: Json) -> Card | None:
    card = (raw.get("payment_method_details") or {}).get("card")
    if not card:
        return None
    return Card(
        brand=clean(card.get("brand"), longest=40) or "card",
        last4=card.get("last4") or "",
        fingerprint=card.get("fingerprint") or "",
    )


def refund_of(raw: Json) -> Refund:
    return Refund(
        id=raw["id"],
        charge=identifier(raw.get("charge")) or "",
        amount=Money(raw["amount"], raw["currency"]),
        status=raw.get("status") or "pending",
        reason=raw.get("reason"),
        created=moment(raw["created"]),
        action_id=(raw.get("metadata") or {}).get("action_id"),
        failure_reason=raw.get("failure_reason"),
    )


def invoice_of(raw: Json, charges: tuple[str, ...]) -> Invoice:
    """Lists inside `raw` must be complete."""
    currency = raw["currency"]
    due = raw.get("due_date")
    return Invoice(
        id=raw["id"],
        number=clean(raw.get("number")) or None,
        status=raw.get("status") or "draft",
        total=Money(raw["total"], currency),
        paid=Money(raw["amount_paid"], currency),
        remaining=Money(raw["amount_remaining"], currency),
        tax=_sum(raw.get("total_taxes"), currency),
        created=moment(raw["created"]),
        due=moment(due) if due else None,
        lines=tuple(map(_line_of, entries(raw["lines"]))),
        subscription=_subscription_behind(raw),
        charges=charges,
        pdf_url=raw.get("invoice_pdf"),
        hosted_url=raw.get("hosted_invoice_url"),
        discount=_sum(raw.get("total_discount_amounts"), currency),
        credit_used=_credit_used(raw),
    )


def charges_in(raw: Json) -> tuple[str, ...]:
    """Charges that paid an invoice whose `payments` came with their intents expanded."""
    paid = [payment["payment"] for payment in entries(raw.get("payments")) if payment["status"] == "paid"]
    behind = [by.get("charge") or (by.get("payment_intent") or {}).get("latest_charge") for by in paid]
    return tuple(charge for reference in behind if (charge := identifier(reference)))


def _sum(parts: Iterable[Json] | None, currency: str) -> Money:
    return Money(sum(part["amount"] for part in parts or ()), currency)


def _credit_used(raw: Json) -> Money:
    """Balances are negative while they are credit; a draft has no ending balance yet."""
    before, after = raw.get("starting_balance") or 0, raw.get("ending_balance")
    used = after - before if after is not None else 0
    return Money(max(used, 0) if before < 0 else 0, raw["currency"])


def _subscription_behind(raw: Json) -> str | None:
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    return identifier(details.get("subscription"))


def _line_of(raw: Json) -> InvoiceLine:
    pricing = (raw.get("pricing") or {}).get("price_details") or {}
    return InvoiceLine(
        description=clean(raw.get("description")),
        amount=Money(raw["amount"], raw["currency"]),
        quantity=raw.get("quantity") or 1,
        period_start=moment(raw["period"]["start"]),
        period_end=moment(raw["period"]["end"]),
        proration=_is_proration(raw.get("parent") or {}),
        product=identifier(pricing.get("product")),
    )


def _is_proration(parent: Json) -> bool:
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return bool(details.get("proration"))


def products_of(raw: Json) -> tuple[str, ...]:
    """Ids of the products in a subscription, in the order of its items."""
    products = (identifier(item["price"].get("product")) for item in entries(raw["items"]))
    return tuple(product for product in products if product)


def names_in(raw: Json) -> dict[str, str]:
    """Product names by id, of a subscription whose products were expanded."""
    products = (item["price"].get("product") for item in entries(raw["items"]))
    return {product["id"]: product["name"] for product in products if isinstance(product, dict)}


def subscription_of(raw: Json, names: Mapping[str, str]) -> Subscription:
    """`names` of products by id. Usage-based and tiered items have no price beforehand and count as 0."""
    items = entries(raw["items"])
    first = items[0]
    return Subscription(
        id=raw["id"],
        status=raw["status"],
        plan=" + ".join(clean(names.get(product)) or "Plan" for product in products_of(raw)) or "Plan",
        price=Money(sum(map(_price_of_item, items)), raw["currency"]),
        interval=(first["price"].get("recurring") or {}).get("interval") or "month",
        quantity=first.get("quantity") or 1,
        period_start=moment(first["current_period_start"]),
        period_end=moment(first["current_period_end"]),
        cancel_at_period_end=raw["cancel_at_period_end"],
    )


def _price_of_item(item: Json) -> int:
    price = item["price"]
    unit = price.get("unit_amount_decimal") or price.get("unit_amount") or 0
    total = Decimal(str(unit)) * (item.get("quantity") or 1)
    return int(total.quantize(Decimal(1), rounding=ROUND_HALF_UP))
