"""A card that is typed over several messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.safety.figures import conversation
from tests.tools.safety.generated import card_numbers
from tools.safety.mask import mask
from tools.safety.numbers import luhn
from tools.safety.pieces import SHOWN, Piece, closes, mask_pieces, pieces_in


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["4242 4242", "4242 4242"], [SHOWN, SHOWN]),
        (["4242", "4242", "4242", "4242"], ["4242", "4242", SHOWN, SHOWN]),
        (["my card is 4242", "4242", "4242 4242"], ["my card is 4242", SHOWN, SHOWN]),
        (["my card is 4242 4242", "the rest is 4242 4242"], [f"my card is {SHOWN}", f"the rest is {SHOWN}"]),
        (["4242 4242 4242", "one moment please", "4242"], [SHOWN, "one moment please", SHOWN]),
        (["٤٢٤٢ ٤٢٤٢", "4242\u200b4242"], [SHOWN, SHOWN]),
        (["3782 822463", "10005"], [SHOWN, SHOWN]),
        (["424242", "4242424242"], ["424242", SHOWN]),
        (["5384 7291", "it goes on 6037 1281"], [SHOWN, f"it goes on {SHOWN}"]),
        (["5384 7291", "room 6037", "ends in 1281"], [SHOWN, "room 6037", f"ends in {SHOWN}"]),
    ],
)
def test_the_pieces_of_a_card_are_hidden_once_they_look_like_one(said: list[str], told: list[str]) -> None:
    assert told == conversation(said)


@pytest.mark.parametrize(
    "said",
    [
        ["CF-2026-000123", "A1B2C3D4-0001"],
        ["the card ending in 4242", "2"],
        ["4242", "2026"],
        ["4242", "4900.00", "$42.42", "4.242,42 €"],
        ["+44 20 7946 0123", "5551234567"],
        ["order 45001234 arrived", "invoice 42424242"],
        ["2026-11-03", "23.11.2026", "12/12"],
        ["5", "42 seats", "100%"],
        ["I have 4242 reasons", "and 4242 more"],
        ["room 5384", "seat 7291", "6037", "1281"],
    ],
)
def test_numbers_that_an_answer_is_made_of_stay(said: list[str]) -> None:
    assert said == conversation(said)


def test_what_is_kept_of_digits_is_not_the_digits() -> None:
    """All numbers that share length, issuer and two sums look alike: about a hundredth of its issuer's."""
    [piece] = pieces_in("4242 4242")
    assert "8:0:2:13,16,18,19:" == piece.written
    assert piece == Piece.read(piece.written)
    assert Piece.of("41111119") != piece
    assert piece in {Piece.of(f"4242{rest:04d}") for rest in range(10_000) if rest != 4242}


def test_a_card_that_came_whole_leaves_nothing_behind() -> None:
    assert [] == pieces_in(mask("my card is 4242 4242 4242 4242").text)


def test_the_last_piece_closes_the_number() -> None:
    first, last = pieces_in("4242 4242"), pieces_in("4242 4242")
    assert closes(first, last)
    assert not closes(first, pieces_in("4242 4243"))


@given(st.text("0123456789", min_size=1, max_size=9), st.text("0123456789", min_size=1, max_size=9))
def test_two_pieces_have_the_check_digit_of_the_whole(first: str, then: str) -> None:
    whole = Piece.of(first).then(Piece.of(then))
    assert luhn(first + then) is (whole.plain == 0)
    assert whole.length == len(first + then)


@given(st.integers(1, 14), st.integers(0, 200))
def test_wherever_a_card_is_cut_its_last_part_is_known(place: int, which: int) -> None:
    number = list(card_numbers(201))[which]
    at = min(max(place, 4), len(number) - 1)
    assert closes([Piece.of(number[:at])], [Piece.of(number[at:])])


@given(st.text("0123456789 -.4card", max_size=60), st.text("0123456789 -", max_size=30))
def test_hiding_pieces_twice_changes_nothing_more(text: str, before: str) -> None:
    earlier = pieces_in(mask(before).text)
    once = mask_pieces(mask(text), earlier)
    assert once.text == mask_pieces(mask(once.text), earlier).text
