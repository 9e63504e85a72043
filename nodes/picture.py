"""A customer's billing picture, and what was read besides, as flat JSON for the state, and back."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter

from tools.billing.analysis import find_duplicates
from tools.billing.likeness import LONGEST
from tools.billing.powers import HeldDetails, Price
from tools.billing.types import BillingPicture, Card, Charge, Invoice

KEPT = 24
"""Newest of each list that a turn may talk about: bounds the state."""
ENDED = frozenset({"canceled", "incomplete_expired"})

_adapter = TypeAdapter(BillingPicture)
_prices = TypeAdapter(tuple[Price, ...])
_cards = TypeAdapter(dict[str, Card])
_held = TypeAdapter(HeldDetails)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


def to_json(picture: BillingPicture) -> dict[str, Any]:
    dumped: dict[str, Any] = _adapter.dump_python(bounded(picture), mode="json")
    return dumped


def from_json(data: dict[str, Any]) -> BillingPicture:
    return _adapter.validate_python(data)


def prices_to_json(prices: tuple[Price, ...]) -> list[dict[str, Any]]:
    dumped: list[dict[str, Any]] = _prices.dump_python(prices, mode="json")
    return dumped


def prices_from_json(data: list[dict[str, Any]]) -> tuple[Price, ...]:
    return _prices.validate_python(data)


def cards_to_json(cards: dict[str, Card]) -> dict[str, Any]:
    dumped: dict[str, Any] = _cards.dump_python(cards, mode="json")
    return dumped


def cards_from_json(data: dict[str, Any]) -> dict[str, Card]:
    return _cards.validate_python(data)


def held_to_json(held: HeldDetails) -> dict[str, Any]:
    dumped: dict[str, Any] = _held.dump_python(held, mode="json")
    return dumped


def held_from_json(data: dict[str, Any] | None) -> HeldDetails | None:
    return _held.validate_python(data) if data else None


def bounded(picture: BillingPicture) -> BillingPicture:
    """The newest of each list, with the older ones that they cannot be understood without.

    Of charges, what a duplicate is told by; of invoices, what those charges paid, what is still owed and what used
    credit; of subscriptions, those that are not over. So nothing is found here that the whole picture denies, and no
    duplicate is lost.
    """
    charges = _charges(picture)
    paid = {charge.invoice for charge in charges}
    kept = {charge.id for charge in charges}
    return replace(
        picture,
        charges=charges,
        invoices=_with(picture.invoices, (each for each in picture.invoices if each.id in paid or _is_live(each))),
        refunds=_with(picture.refunds, (each for each in picture.refunds if each.charge in kept)),
        subscriptions=_with(
            picture.subscriptions, (each for each in picture.subscriptions if each.status not in ENDED)
        ),
        disputes=picture.disputes[:KEPT],
        credit_notes=picture.credit_notes[:KEPT],
    )


def _with(entries: tuple[Named, ...], besides: Iterable[Named]) -> tuple[Named, ...]:
    """In the order that they had."""
    wanted = {entry.id for entry in chain(entries[:KEPT], besides)}
    return tuple(entry for entry in entries if entry.id in wanted)


def _is_live(invoice: Invoice) -> bool:
    return (invoice.status == "open" and bool(invoice.remaining)) or bool(invoice.credit_used)


def _charges(picture: BillingPicture) -> tuple[Charge, ...]:
    """Those that are wanted for themselves, and until nothing is missing, those that they are judged by."""
    wanted = {charge.id for charge in picture.charges[:KEPT]}
    wanted |= {charge.id for pair in find_duplicates(picture) for charge in (pair.earlier, pair.later)}
    while more := _judged_by(picture.charges, wanted) - wanted:
        wanted |= more
    return tuple(charge for charge in picture.charges if charge.id in wanted)


def _judged_by(charges: tuple[Charge, ...], wanted: AbstractSet[str]) -> set[str]:
    """Of the same invoice; or of the same figure, and soon before. `charges` come newest first."""
    invoices = {charge.invoice for charge in charges if charge.id in wanted and charge.invoice}
    found, oldest = set(), dict[Decimal, datetime]()
    for charge in charges:
        later = oldest.get(charge.amount.decimal)
        near = later is not None and later - charge.created <= LONGEST
        if charge.id in wanted or near or charge.invoice in invoices:
            found.add(charge.id)
            oldest[charge.amount.decimal] = charge.created
    return found
