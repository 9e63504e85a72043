"""Stripe's search language: `email:'a@b.c' AND -metadata['k']:'v'`, with AND or OR but not both."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import Json, StripeFailure

SearchFields = Mapping[str, str]
"""Searchable name to the dotted place in the object."""

CLAUSE = re.compile(
    r"""\s*(?P<negated>-)?(?P<field>[a-z_0-9.]+)(?:\[(?P<quote>["'])(?P<key>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\])?"""
    r"""\s*(?P<operator>:|~|>=|<=|>|<)\s*"""
    r"""(?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'|(?P<bare>-?\d+|null|true|false))\s*""",
    re.DOTALL,
)
JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
ORDERED = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}
SHORTEST_SUBSTRING = 3


@dataclass(frozen=True)
class Clause:
    place: tuple[str, ...]
    operator: str
    value: str | None
    """None is `null`: the field is absent."""
    negated: bool

    def matches(self, thing: Json) -> bool:
        return self._holds(_look_up(thing, self.place)) is not self.negated

    def _holds(self, found: Any) -> bool:
        if self.value is None or found is None:
            return found is None and self.value is None
        if self.operator in ORDERED:
            return isinstance(found, int) and ORDERED[self.operator](found, int(self.value))
        # Stripe compares text without regard to case.
        text, wanted = _as_text(found).casefold(), self.value.casefold()
        return wanted in text if self.operator == "~" else wanted == text


@dataclass(frozen=True)
class Query:
    clauses: tuple[Clause, ...]
    combine: Callable[[Iterator[bool]], bool]

    @classmethod
    def parse(cls, text: str, allowed: SearchFields, plural: str) -> "Query":
        clauses, joints, position = [], set(), 0
        while position < len(text):
            found = CLAUSE.match(text, position)
            if not found:
                raise _unreadable(text)
            clauses.append(_clause(found, allowed, plural))
            position = found.end()
            if joint := JOINT.match(text, position):
                joints.add(joint[0].upper())
                position = joint.end()
                if not text[position:].strip():
                    raise _unreadable(text)
            elif position < len(text):
                joints.add("AND")
        if not clauses or len(joints) > 1:
            raise _unreadable(text)
        return cls(tuple(clauses), any if joints == {"OR"} else all)

    def matches(self, thing: Json) -> bool:
        return self.combine(clause.matches(thing) for clause in self.clauses)


def _clause(found: re.Match[str], allowed: SearchFields, plural: str) -> Clause:
    name = found["field"]
    if name not in allowed or (name == "metadata") != (found["key"] is not None):
        message = (
            f"Field `{name}` is an unsupported search field for resource `{plural}`. See "
            f"https://stripe.com/docs/search#query-fields-for-{plural} for a list of supported fields."
        )
        raise StripeFailure(message, param="query")
    quoted = next((found[group] for group in ("double", "single") if found[group] is not None), None)
    value = _unescaped(quoted) if quoted is not None else found["bare"]
    if found["operator"] == "~" and len(value) < SHORTEST_SUBSTRING:
        raise StripeFailure(f"Substring match requires at least {SHORTEST_SUBSTRING} characters.", param="query")
    if found["operator"] in ORDERED and not re.fullmatch(r"-?\d+", value):
        raise StripeFailure(f"Field `{name}` must be compared with a number.", param="query")
    place = ("metadata", _unescaped(found["key"])) if found["key"] is not None else tuple(allowed[name].split("."))
    return Clause(place, found["operator"], None if found["bare"] == "null" else value, bool(found["negated"]))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _look_up(thing: Any, place: tuple[str, ...]) -> Any:
    for step in place:
        thing = thing.get(step) if isinstance(thing, dict) else None
    return thing


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unreadable(text: str) -> StripeFailure:
    message = (
        f"We were unable to parse your search query: {text[:200]}. Check the documentation for the right query syntax: "
        "https://stripe.com/docs/search#search-query-language."
    )
    return StripeFailure(message, param="query")
