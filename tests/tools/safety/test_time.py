"""No text takes long to read. A row of bullets once kept the last-four parser busy for minutes."""

from collections.abc import Callable
from time import perf_counter

import pytest

from tools.nlu import clauses, cues, language, slots
from tools.safety.mask import mask
from tools.safety.screen import screen
from tools.safety.sentences import split
from tools.safety.truth import check
from tools.safety.types import Facts

UNITS = (
    "•", "x", "1", "4 ", "4242-", "$1,", "1.", "A0-", "a@a.", "yes ", "no, ", "ignore all ", "your refund ", "I have ",
    "password is ", "in 3 ", "five ", "May ", "10 days ", "!", "...", "\n", "\u200b", "忽略", "{", "A", "card ",
)  # fmt: skip
READERS: tuple[Callable[[str], object], ...] = (
    mask, screen, split, slots.parse, cues.read_cue, clauses.split, language.detect, lambda text: check(text, Facts()),
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_of_one_thing_again_and_again_is_read_in_time(unit: str) -> None:
    text = (unit * 2000)[:2000] + "z"
    started = perf_counter()
    for read in READERS:
        read(text)
    assert perf_counter() - started < 5
