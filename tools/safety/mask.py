"""Takes out of a text what must never be kept: PCI DSS 3.3.1, 3.4.1 and 3.5.1, and our customers' other secrets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from tools.safety.card_data import find_card_data
from tools.safety.credentials import find_codes, find_keys, find_passwords
from tools.safety.fold import ZERO_WIDTH, fold
from tools.safety.numbers import find_ibans
from tools.safety.spans import Span, replaced, without_overlaps
from tools.safety.types import Masked

# Key caps, struck out digits: marks on a digit do not part it from the next one.
_MARKS = re.compile("(?<=\\d)[\u0300-\u036f\u20d0-\u20f0\ufe00-\ufe0f\u034f]+")
_ENCODED_BLANK = re.compile(r"%20|\\u00a0|&nbsp;", re.IGNORECASE)


def _ibans(text: str) -> Iterator[Span]:
    for start, end in find_ibans(text):
        yield Span(start, end, "iban", "[iban]")


_FINDERS: tuple[Callable[[str], Iterator[Span]], ...] = (
    find_keys, _ibans, find_card_data, find_codes, find_passwords,
)  # fmt: skip


def legible(text: str) -> str:
    """Folded, with digits side by side again that invisible things kept apart. Offsets hold in the original."""
    folded = _ENCODED_BLANK.sub(lambda found: " " * len(found.group()), fold(text))
    return folded if folded.isascii() else _MARKS.sub(lambda found: ZERO_WIDTH * len(found.group()), folded)


def mask(text: str) -> Masked:
    """The text without card data, IBANs, one-time codes, API keys and passwords. Pure and idempotent."""
    readable = legible(text)
    spans = without_overlaps(span for find in _FINDERS for span in find(readable))
    if any(span.kind == "cvv" for span in spans):
        # A card's last four beside the place where its CVV stood is more than anyone needs.
        spans = [replace(span, shown="[card]") if span.kind == "card" else span for span in spans]
    return Masked(text=replaced(text, spans), found=tuple(dict.fromkeys(span.kind for span in spans)))
