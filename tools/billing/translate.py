"""Stripe's JSON into our nouns. Unknown fields are ignored; text is somebody else's and is cleaned."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast, get_args

from tools.billing.declines import DeclineReason, decline_of
from tools.billing.types import (
    Card,
    Charge,
    Customer,
    Discount,
    Dispute,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from tools.money import Money

Json = dict[str, Any]

LONGEST_TEXT = 300
MARK = "action_id"
"""The key in Stripe's metadata under which our actions sign; and the beginning of more such keys."""
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


def known(word: str, words: Any) -> Any:
    """The word if it is one of the `Literal`, else `unknown`: Stripe adds words without notice."""
    return word if word in get_args(words) else "unknown"


def entries(listing: Json | None) -> list[Json]:
    """Of a list object that may not have been asked for."""
    return cast("list[Json]", listing["data"]) if listing else []


def signed(raw: Json) -> tuple[str, ...]:
    """Ids of our actions that left their mark in the metadata: of each power, the last."""
    metadata: Mapping[str, str] = raw.get("metadata") or {}
    return tuple(sorted({clean(by, longest=100) for key, by in metadata.items() if key.startswith(MARK)}))


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
        payment_method=identifier((raw.get("invoice_settings") or {}).get("default_payment_method")),
        action_id=(raw.get("metadata") or {}).get("action_id"),
        actions=signed(raw),
    )


def charge_of(raw: Json, invoice: Json | None, disputes: Iterable[Dispute] = ()) -> Charge:
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
        disputes=tuple(disputes),
        created=moment(raw["created"]),
        description=clean(raw.get("description")),
        card=card_of(raw.get("payment_method_details")),
        invoice=invoice["id"] if invoice else None,
        invoice_number=clean(invoice.get("number")) or None if invoice else None,
        order_id=clean((raw.get("metadata") or {}).get("order_id"), longest=100) or None,
        statement=clean(raw.get("calculated_statement_descriptor"), longest=40) or None,
        failure=_failure_of(raw),
    )


def _failure_of(raw: Json) -> DeclineReason | None:
    if raw["status"] != "failed":
        return None
    return decline_of((raw.get("outcome") or {}).get("reason"), raw.get("failure_code"))


def card_of(holder: Json | None) -> Card | None:
    """Of a payment method, or of a charge's details of one."""
    card = (holder or {}).get("card")
    if not card:
        return None
    return Card(
        brand=clean(card.get("brand"), longest=40) or "card",
        last4=card.get("last4") or "",
        fingerprint=card.get("fingerprint") or "",
    )


def refund_of(raw: Json) -> Refund:
    status: Any = raw.get("status")
    return Refund(
        id=raw["id"],
        charge=identifier(raw.get("charge")) or "",
        amount=Money(raw["amount"], raw["currency"]),
        # A status that we do not know says nothing that may be told.
        status=status if status in get_args(RefundStatus) else "pending",
        reason=raw.get("reason"),
        created=moment(raw["created"]),
        action_id=clean((raw.get("metadata") or {}).get("action_id"), longest=100) or None,
        failure_reason=clean(raw.get("failure_reason"), longest=100) or None,
        **_destination(raw.get("destination_details") or {}),
    )


def _destination(raw: Json) -> Json:
    """The form that the money's way back takes is called after the way, as in `destination_details.card`."""
    way = raw.get(raw.get("type") or "") or {}
    kind = way.get("type") if way.get("type") in {"refund", "reversal"} else "unknown"
    return {"kind": kind, "reference": clean(way.get("reference"), longest=80) or None}


def invoice_of(raw: Json, charges: tuple[str, ...]) -> Invoice:
    """Lists inside `raw` must be complete."""
    currency = raw["currency"]
    due = raw.get("due_date")
    return Invoice(
        id=raw["id"],
        number=clean(raw.get("number")) or None,
        status=known(raw.get("status") or "draft", InvoiceStatus),
        total=Money(raw["total"], currency),
        paid=Money(raw["amount_paid"], currency),
        remaining=Money(raw["amount_remaining"], currency),
        payments=tuple(_payment_of(payment) for payment in entries(raw.get("payments"))),
        credited=Money(_credited(raw), currency),
        off_stripe=Money(_off_stripe(raw), currency),
        customer=identifier(raw.get("customer")),
        action_id=(raw.get("metadata") or {}).get("action_id"),
        actions=signed(raw),
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
        discounts=_discounts_of(raw),
        reason=raw.get("billing_reason"),
        asked=_money(raw.get("amount_due"), currency),
        overpaid=_money(raw.get("amount_overpaid"), currency),
    )


def charges_in(raw: Json) -> tuple[str, ...]:
    """Charges that paid an invoice whose `payments` came with their intents expanded."""
    paid = [payment["payment"] for payment in entries(raw.get("payments")) if payment["status"] == "paid"]
    behind = [by.get("charge") or (by.get("payment_intent") or {}).get("latest_charge") for by in paid]
    return tuple(charge for reference in behind if (charge := identifier(reference)))


def _payment_of(raw: Json) -> Payment:
    by, paid_at = raw["payment"], (raw.get("status_transitions") or {}).get("paid_at")
    intent = by.get("payment_intent")
    latest = intent.get("latest_charge") if isinstance(intent, Mapping) else None
    paid = raw.get("amount_paid")
    return Payment(
        id=raw["id"],
        kind="out_of_band" if by["type"] == "payment_record" else "card",
        amount=Money(raw["amount_requested"] if paid is None else paid, raw["currency"]),
        status=known(raw["status"], PaymentStatus),
        at=moment(paid_at or raw["created"]),
        # A declined try is a charge too, but it paid nothing.
        charge=identifier(by.get("charge")) or identifier(latest) if raw["status"] == "paid" else None,
        payment_intent=identifier(intent),
    )


def has_credit_notes(raw: Json) -> bool:
    return _credited(raw) > 0


def _credited(raw: Json) -> int:
    return (raw.get("pre_payment_credit_notes_amount") or 0) + (raw.get("post_payment_credit_notes_amount") or 0)


def _off_stripe(raw: Json) -> int:
    """Stripe's own sum comes only when expanded; the payments say the same."""
    paid = [payment for payment in entries(raw.get("payments")) if payment["status"] == "paid"]
    return sum(payment.get("amount_paid") or 0 for payment in paid if payment["payment"]["type"] == "payment_record")


def _money(amount: int | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount, currency)


def _discounts_of(raw: Json) -> tuple[Discount, ...]:
    """Discounts come as ids unless they were expanded, and so do their coupons."""
    known: list[Any] = raw.get("discounts") or []
    expanded: dict[str, Json] = {each["id"]: each for each in known if isinstance(each, dict)}
    return tuple(_discount_of(part, expanded, raw["currency"]) for part in raw.get("total_discount_amounts") or ())


def _discount_of(part: Json, expanded: Mapping[str, Json], currency: str) -> Discount:
    reference = part.get("discount")
    whole = reference if isinstance(reference, Mapping) else expanded.get(reference or "", {})
    coupon: Any = (whole.get("source") or {}).get("coupon")
    name = clean(coupon.get("name"), longest=80) if isinstance(coupon, Mapping) else ""
    return Discount(amount=Money(part["amount"], currency), name=name or None, coupon=identifier(coupon))


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
        id=raw.get("id"),
        product=identifier(pricing.get("product")),
        tax=_sum(raw.get("taxes"), raw["currency"]),
        discount=_sum(raw.get("discount_amounts"), raw["currency"]),
    )


def _is_proration(parent: Json) -> bool:
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return bool(details.get("proration"))
