from pathlib import Path
from time import perf_counter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.nlu.answers import plain_answer

CASES: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("answers.yaml").read_text("utf-8"))
YES, NO, NEITHER = CASES["plain_yes"], CASES["plain_no"], CASES["neither"]
_SPOILERS = [
    *(
        "0",
        "7",
        "10",
        "$10",
        "10€",
        "49.00",
        "half",
        "both",
        "if",
        "wait",
        "hold",
        "cancel",
        "later",
        "tomorrow",
        "?",
        "…",
    ),
    *(
        "no",
        "not",
        "don't",
        "stop",
        "nein",
        "nicht",
        "kein",
        "non",
        "pas",
        "nope",
        "never",
        "nunca",
        "jamais",
        "👎",
        "❌",
    ),
    *("but", "maybe", "nunca", "tomorrow", "wrong", "first", "second", "whatever"),
]


@pytest.mark.parametrize("text", YES)
def test_a_plain_yes(text: str) -> None:
    assert "yes" == plain_answer(text)


@pytest.mark.parametrize("text", NO)
def test_a_plain_no(text: str) -> None:
    assert "no" == plain_answer(text)


@pytest.mark.parametrize("text", NEITHER)
def test_anything_else_is_no_answer(text: str) -> None:
    assert plain_answer(text) is None


@settings(max_examples=400, deadline=None)
@given(
    yes=st.lists(st.sampled_from(YES), min_size=1, max_size=2),
    spoiler=st.sampled_from(_SPOILERS),
    gap=st.sampled_from([" ", ", ", ". ", "! ", " - ", "\n"]),
    place=st.integers(0, 2),
)
def test_a_yes_with_a_number_an_amount_or_a_negation_is_no_yes(
    yes: list[str], spoiler: str, gap: str, place: int
) -> None:
    words = [*yes[:place], spoiler, *yes[place:]]
    assert "yes" != plain_answer(gap.join(words))


@settings(max_examples=200, deadline=None)
@given(yes=st.sampled_from(YES), digit=st.characters(categories=["Nd", "No", "Nl", "Sc"]))
def test_a_yes_with_a_digit_or_a_currency_behind_it_is_no_yes(yes: str, digit: str) -> None:
    assert plain_answer(yes + digit) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=150))
def test_any_text_is_read_without_error_and_always_alike(text: str) -> None:
    assert plain_answer(text) == plain_answer(text)


def test_a_long_row_of_answers_is_read_at_once() -> None:
    """Two ways to read one word would double the work with every word."""
    rows = [f"{text} " * (118 // (len(text) + 1)) + "x" for text in YES + NO]
    started = perf_counter()
    assert {None} == {plain_answer(row) for row in rows}
    assert perf_counter() - started < 2
