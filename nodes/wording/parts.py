"""Parts of sentences that several kinds of action share."""

from collections.abc import Mapping
from datetime import date, datetime

from nodes.drafting import Draft, Json, draft, lines
from tools.billing.declines import DeclineReason
from tools.billing.types import Card
from tools.ledger.types import Action
from tools.money import Money

BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}
DECLINED: dict[DeclineReason, str] = {
    "insufficient_funds": "there was not enough money on the card",
    "expired_card": "the card has expired",
    "authentication_required": "the bank wanted you to confirm it, and that did not happen",
    "wrong_details": "a detail of the card was not right",
    "over_limit": "the card was over a limit of the bank",
    "blocked": "the bank did not allow it",
    "not_supported": "the card does not support this kind of payment",
    "try_again": "the bank could not be reached just then",
    "declined": "the bank gave no reason",
}
"""What a customer may be told; see `tools.billing.declines`."""


def brand_name(brand: str) -> str:
    return BRANDS.get(brand, brand.title())


def card_in(details: Json) -> Draft | None:
    """The card that the details name."""
    last4, brand = details.get("last4"), details.get("brand")
    return draft("original_card", brand=brand_name(str(brand)), last4=last4) if last4 else None


def card_details(payment_method: str | None, cards: Mapping[str, Card]) -> Json:
    """What will be charged, for the details of an action. Nothing where it is no card."""
    card = cards.get(payment_method or "")
    return {"payment_method": payment_method, "brand": card.brand, "last4": card.last4} if card else {}


def method(action: Action) -> Draft:
    """Where the money goes back to."""
    return card_in(action.details) or draft("original_method")


def money(action: Action, minor: int) -> Money:
    """An amount of its details, in its currency."""
    return Money(minor, action.amount.currency)


def moment(action: Action, name: str) -> datetime:
    return datetime.fromisoformat(action.details[name])


def schedule(action: Action) -> Draft:
    parts = action.details.get("schedule", [])
    return lines(
        [
            draft("plan_line", due=date.fromisoformat(part["due"]), amount=money(action, part["amount"]))
            for part in parts
        ]
    )


def every(interval: str) -> Draft:
    """`month`, or `3 months`: a span of time that the truth gate has to know."""
    return draft("span", span=interval) if interval[:1].isdigit() else Draft(text=interval)


def months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"


def seats(count: int) -> str:
    return "1 seat" if count == 1 else f"{count} seats"
