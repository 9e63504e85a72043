"""The same for every text within JSON-like data, names included."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tools.safety.mask import mask

DEPTH = 20
_TELLING = 10**11
"""Whole numbers from here on have enough digits for a card."""
_KEPT = (bool, int, float, UUID, datetime, date)


def each_text(value: Any, change: Callable[[str], str], depth: int = DEPTH, *, numbers: bool = True) -> Any:
    """`value` as JSON-like data with `change` done to each text, and to long whole numbers if `numbers`.

    What lies deeper than `depth` is left out; what is no JSON is told as text.
    """
    if isinstance(value, str):
        return change(value)
    if numbers and isinstance(value, int) and abs(value) >= _TELLING:
        told = change(str(value))
        return value if told == str(value) else told
    if value is None or isinstance(value, _KEPT):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return {change(str(key)): each_text(inner, change, depth - 1, numbers=numbers) for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [each_text(inner, change, depth - 1, numbers=numbers) for inner in value]
    return change(str(value))


def mask_deep(value: Any) -> Any:
    """Numbers stay: in records they are amounts."""
    return each_text(value, lambda text: mask(text).text, numbers=False)
