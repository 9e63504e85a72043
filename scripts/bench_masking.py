"""How well secrets are found in chatter, beside what a library finds, and how long the worst texts take.

python -m scripts.bench_masking
"""

import time
from collections.abc import Callable
from functools import partial

import phonenumbers
from rich.console import Console
from rich.table import Table

from tests.tools.safety import figures, generated
from tests.tools.safety.figures import COLUMNS, Figure
from tools.safety.mask import mask
from tools.safety.pieces import mask_pieces, pieces_in
from tools.safety.redact import redact

LONGEST = 8_000
UNITS = ("1", "4 ", "4242-", "4242 4242 4242 4242 ", "1, ", "$1 ", "a@a.", "+1", "de89 ", "key ",
         "password is ", "2026-11-03 ", "code is ", "•", "\u200b", "-----BEGIN PRIVATE KEY-----", "card ",
         "my card is 4242 ")  # fmt: skip
LIBRARY_SAMPLE = 500
REGIONS = (None, "US", "GB", "DE", "ES", "FR")


def main() -> None:
    console = Console()
    console.print(_found())
    console.print(_unsure())
    console.print(_worst())


def _found() -> Table:
    table = Table(*COLUMNS, "ms per text", title="Secrets in chatter (en, de, es, fr)")
    makers: list[Callable[[], Figure]] = [figures.cards, figures.ibans, figures.phones, figures.emails]
    makers += [partial(figures.named, kind) for kind in ("cvv", "expiry", "code", "key", "password")]
    makers += [figures.split_cards, _library]
    for make in makers:
        started = time.perf_counter()
        figure = make()
        spent = time.perf_counter() - started
        table.add_row(*figure.row(), f"{spent / (figure.positives + figure.look_alikes) * 1000:.2f}")
    return table


def _library() -> Figure:
    """What `PhoneNumberMatcher` makes of the same texts, asked for five countries."""
    found = Figure("phone, by phonenumbers alone")
    for text, _ in generated.phones_in_chatter(LIBRARY_SAMPLE):
        found.positives += 1
        found.missed += [] if _matches(text) else [text]
    for text in generated.phone_look_alikes(LIBRARY_SAMPLE):
        found.look_alikes += 1
        found.touched += [text] if _matches(text) else []
    return found


def _matches(text: str) -> bool:
    return any(phonenumbers.PhoneNumberMatcher(text, region).has_next() for region in REGIONS)


def _unsure() -> Table:
    """Counted apart: nobody can tell these from a card."""
    texts = list(generated.lucky_numbers(figures.MANY))
    taken = sum(mask(text).text != text for text in texts)
    table = Table(
        "kind", "texts", "masked", title="Order numbers of 16 random digits: a card by prefix and check digit"
    )
    table.add_row("order number", f"{len(texts):,}", f"{taken / len(texts):.2%}")
    return table


def _worst() -> Table:
    """A text twice as long may take about twice as long: 2 is linear, 4 is quadratic."""
    table = Table("text", f"ms for {LONGEST:,} characters", "ms for half", "ratio", title="The worst texts")
    for unit in UNITS:
        half, whole = (_seconds((unit * LONGEST)[:size]) for size in (LONGEST // 2, LONGEST))
        table.add_row(repr(unit), f"{whole * 1000:.1f}", f"{half * 1000:.1f}", f"{whole / half:.1f}")
    return table


def _seconds(text: str) -> float:
    """The best of three."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        redact(text)
        mask_pieces(mask(text), pieces_in(text))
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
