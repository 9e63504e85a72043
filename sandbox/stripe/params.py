"""What a route accepts, said as data: `fields(amount=integer(), metadata=metadata())`.

Unknown, missing and misshapen parameters are refused with Stripe's words, before anything runs.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.brackets import Tree
from sandbox.stripe.errors import Json, ValidationFailure, missing, not_an_integer
from sandbox.stripe.money import KNOWN

Raw = str | Tree
LONGEST_TEXT = 5000
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500


@dataclass(frozen=True)
class Field:
    """How one parameter is read. `read` takes the raw value and the parameter's full name."""

    read: Callable[[Raw, str], Any]
    required: bool = False
    kept: bool = False
    """Need not be sent, but cannot be unset."""


Fields = dict[str, Field]


def fields(**declared: Field) -> Fields:
    return declared


def coerce(raw: Tree, declared: Fields, inside: str = "") -> Json:
    """Typed values of the parameters that were sent; an empty one is None, which unsets."""
    names = {name: f"{inside}[{name}]" if inside else name for name in raw.keys() | declared.keys()}
    unknown = sorted(names[name] for name in raw.keys() - declared.keys())
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        message = f"Received unknown parameter{plural}: {', '.join(unknown)}"
        raise ValidationFailure(message, code="parameter_unknown", param=unknown[0])
    for name, field in declared.items():
        if field.required and name not in raw:
            raise missing(names[name])
    return {name: _value(raw[name], declared[name], names[name]) for name in declared if name in raw}


def _value(value: Raw, field: Field, name: str) -> Any:
    if value == "" and (field.required or field.kept):
        message = (
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a field; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a "
            "non-empty value."
        )
        raise ValidationFailure(message, code="parameter_invalid_empty", param=name)
    return field.read(value, name)


def text(*, required: bool = False, longest: int = LONGEST_TEXT, kept: bool = False) -> Field:
    def read(value: Raw, name: str) -> str | None:
        plain = _plain(value, name)
        if len(plain) > longest:
            message = f"Invalid string: {plain[:10]}...; must be at most {longest} characters"
            raise ValidationFailure(message, param=name)
        return plain or None

    return Field(read, required, kept)


def integer(*, required: bool = False, least: int | None = None, most: int | None = None) -> Field:
    def read(value: Raw, name: str) -> int:
        plain = _plain(value, name)
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", plain):
            raise not_an_integer(name, plain)
        for wrong, words in (
            (least is not None and int(plain) < least, f"greater than or equal to {least}"),
            (most is not None and int(plain) > most, f"less than or equal to {most}"),
        ):
            if wrong:
                message = f"This value must be {words} (it currently is '{plain}')."
                raise ValidationFailure(message, code="parameter_invalid_integer", param=name)
        return int(plain)

    return Field(read, required)


def flag() -> Field:
    def read(value: Raw, name: str) -> bool:
        plain = _plain(value, name)
        if plain not in {"true", "false"}:
            raise ValidationFailure(f"Invalid boolean: {plain}", param=name)
        return plain == "true"

    return Field(read)


def choice(*allowed: str, required: bool = False) -> Field:
    def read(value: Raw, name: str) -> str | None:
        plain = _plain(value, name)
        if plain and plain not in allowed:
            named = ", ".join(allowed[:-1]) + (", or " if len(allowed) > 1 else "") + allowed[-1]
            raise ValidationFailure(f"Invalid {name}: must be one of {named}", param=name)
        return plain or None

    return Field(read, required)


def currency(*, required: bool = False) -> Field:
    def read(value: Raw, name: str) -> str | None:
        plain = _plain(value, name).lower()
        if plain and plain not in KNOWN:
            message = (
                f"Invalid currency: {plain}. Stripe currently supports these currencies: {', '.join(sorted(KNOWN))}"
            )
            raise ValidationFailure(message, param=name)
        return plain or None

    return Field(read, required)


def metadata() -> Field:
    """Key to value, or None for `metadata=`, which drops every key; an empty value drops its key."""

    def read(value: Raw, name: str) -> dict[str, str] | None:
        if value == "":
            return None
        pairs = {key: _plain(item, f"{name}[{key}]") for key, item in _branch(value, name).items()}
        for key, item in pairs.items():
            if len(key) > METADATA_KEY_LENGTH or len(item) > METADATA_VALUE_LENGTH:
                message = (
                    f"Metadata keys can be at most {METADATA_KEY_LENGTH} characters and values at most "
                    f"{METADATA_VALUE_LENGTH} characters: {key[:METADATA_KEY_LENGTH]}"
                )
                raise ValidationFailure(message, param=name)
        return pairs

    return Field(read)


def many(item: Field, *, required: bool = False) -> Field:
    def read(value: Raw, name: str) -> list[Any]:
        if value == "":
            return []
        branch = _branch(value, name)
        if not all(key.isdecimal() for key in branch):
            raise ValidationFailure("Invalid array", param=name)
        return [item.read(branch[key], f"{name}[{key}]") for key in sorted(branch, key=int)]

    return Field(read, required)


def group(*, required: bool = False, **declared: Field) -> Field:
    def read(value: Raw, name: str) -> Json | None:
        return None if value == "" else coerce(_branch(value, name), declared, name)

    return Field(read, required)


def moment_range() -> Field:
    """`created=1700000000` or `created[gte]=...`, as pairs of comparison and moment."""
    comparisons = {name: integer() for name in ("gt", "gte", "lt", "lte")}

    def read(value: Raw, name: str) -> Json:
        if isinstance(value, str):
            return {"equal": integer().read(value, name)}
        return coerce(value, comparisons, name)

    return Field(read)


def merged_metadata(before: dict[str, str], change: dict[str, str] | None) -> dict[str, str]:
    """Stripe's rules: given keys win, an empty value drops its key, None drops all."""
    if change is None:
        return {}
    after = {key: value for key, value in (before | change).items() if value != ""}
    if len(after) > METADATA_KEYS:
        raise ValidationFailure(f"You can only have up to {METADATA_KEYS} metadata keys.", param="metadata")
    return after


def flatten(tree: Tree, inside: str = "") -> Iterator[tuple[str, str]]:
    """Back to pairs, in a canonical order, for comparing two requests."""
    for key in sorted(tree):
        name = f"{inside}[{key}]" if inside else key
        value = tree[key]
        if isinstance(value, str):
            yield name, value
        else:
            yield from flatten(value, name)


def _plain(value: Raw, name: str) -> str:
    if not isinstance(value, str):
        raise ValidationFailure(f"Invalid string: {name}", param=name)
    return value


def _branch(value: Raw, name: str) -> Tree:
    if isinstance(value, str):
        raise ValidationFailure("Invalid object", param=name)
    return value
