"""A customer's billing picture as flat JSON for the state, and back."""

from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from tools.billing.types import BillingPicture

KEPT = 24
"""Newest of each list that a turn may talk about: bounds the state."""

_adapter = TypeAdapter(BillingPicture)


def to_json(picture: BillingPicture) -> dict[str, Any]:
    lists = (picture.invoices, picture.charges, picture.refunds, picture.subscriptions, picture.disputes)
    bounded = replace(
        picture,
        complete=picture.complete and all(len(each) <= KEPT for each in lists),
        invoices=picture.invoices[:KEPT],
        charges=picture.charges[:KEPT],
        refunds=picture.refunds[:KEPT],
        subscriptions=picture.subscriptions[:KEPT],
        disputes=picture.disputes[:KEPT],
        credit_notes=picture.credit_notes[:KEPT],
    )
    dumped: dict[str, Any] = _adapter.dump_python(bounded, mode="json")
    return dumped


def from_json(data: dict[str, Any]) -> BillingPicture:
    return _adapter.validate_python(data)
