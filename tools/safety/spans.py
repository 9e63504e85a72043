"""A place in a text that holds a secret, and what is shown instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tools.safety.types import Secret


@dataclass(frozen=True)
class Span:
    start: int
    end: int
    kind: Secret
    shown: str


class Shown(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def shown(self) -> str: ...


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """In order of the text; where two claim the same characters, the one that was found first wins."""
    taken: set[int] = set()
    kept: list[Span] = []
    for span in spans:
        here = range(span.start, span.end)
        if taken.isdisjoint(here):
            taken.update(here)
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def replaced(text: str, spans: Iterable[Shown]) -> str:
    """`text` with each of `spans`, which are in order and apart, shown as it says."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], span.shown]
        at = span.end
    return "".join([*parts, text[at:]])
