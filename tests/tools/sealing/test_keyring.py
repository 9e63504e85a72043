"""What is sealed opens with its key, in its place and unchanged; or it says why not."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import ConfigurationError
from tools.sealing.keyring import COMPRESSED, MARK, CannotOpen, Keyring, new_key, sealed_with

OLD, NEW = new_key("2025"), new_key("2026")
RING = Keyring.parse(f"{NEW},{OLD}")


@given(st.text(), st.text(min_size=1, max_size=20))
def test_what_is_sealed_opens_in_its_place(text: str, place: str) -> None:
    assert text == RING.open(RING.seal(text, place=place), place=place)


@given(st.text(min_size=1))
def test_the_same_text_is_never_sealed_the_same_way_twice(text: str) -> None:
    assert RING.seal(text, place="p") != RING.seal(text, place="p")


@given(st.binary(max_size=200), st.data())
def test_no_bit_can_be_changed(data: bytes, draw: st.DataObject) -> None:
    box = bytearray(RING.seal_bytes(data, place="p"))
    bit = draw.draw(st.integers(0, len(box) * 8 - 1))
    box[bit // 8] ^= 1 << bit % 8

    with pytest.raises(CannotOpen, match="changed"):
        RING.open_bytes("2026", bytes(box), place="p")


@given(st.binary(max_size=40))
def test_what_is_cut_short_does_not_open(box: bytes) -> None:
    with pytest.raises(CannotOpen):
        RING.open_bytes("2026", box, place="p")


def test_what_was_moved_elsewhere_does_not_open() -> None:
    sealed = RING.seal("ada@example.com", place="identities.email")

    with pytest.raises(CannotOpen, match=r"messages\.text was changed, or moved"):
        RING.open(sealed, place="messages.text")


def test_all_keys_open_and_the_first_seals() -> None:
    before = Keyring.parse(OLD).seal("words", place="p")

    assert ("words", "2025") == (RING.open(before, place="p"), sealed_with(before))
    assert "2026" == sealed_with(RING.seal("words", place="p"))


def test_a_key_that_is_not_given_is_named_and_nothing_is_taken_for_empty() -> None:
    sealed = RING.seal("words", place="messages.text")

    with pytest.raises(CannotOpen, match=r"messages\.text is sealed with key '2026'"):
        Keyring.parse(OLD).open(sealed, place="messages.text")


def test_another_key_under_the_same_name_does_not_open() -> None:
    sealed = RING.seal("words", place="p")

    with pytest.raises(CannotOpen):
        Keyring.parse(new_key("2026")).open(sealed, place="p")


@pytest.mark.parametrize("text", ["", "hello", "sealed", "sealed:3:x:y"])
def test_what_was_never_sealed_is_read_as_it_is(text: str) -> None:
    assert (text, None) == (RING.open(text, place="p"), sealed_with(text))


@pytest.mark.parametrize(
    "text", [MARK, COMPRESSED, f"{MARK}2026", f"{MARK}2026:", f"{MARK}2026:!!", f"{MARK}2026:abc", "sealed:1:a b:c"]
)
def test_half_a_seal_is_no_text(text: str) -> None:
    with pytest.raises(CannotOpen):
        RING.open(text, place="p")


def test_a_text_that_looks_like_a_seal_is_sealed_like_any_other() -> None:
    assert f"{MARK}2026:abcd" == RING.open(RING.seal(f"{MARK}2026:abcd", place="p"), place="p")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no key"),
        (" , ", "names no key"),
        ("abc", "is id:key"),
        (":abc", "is id:key"),
        ("a b:abc", "is id:key"),
        ("k:abc", "not 32 bytes"),
        (f"k:{base64.b64encode(bytes(31)).decode()}", "not 32 bytes"),
        (f"k:{base64.b64encode(bytes(33)).decode()}", "not 32 bytes"),
        (f"{OLD},{OLD}", "names '2025' twice"),
    ],
    ids=["nothing", "blank", "no id", "empty id", "a gap in it", "too short", "31 bytes", "33 bytes", "twice"],
)
def test_keys_that_are_none_refuse_to_start_without_showing_themselves(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as refused:
        Keyring.parse(text)
    assert not re.search(r"[A-Za-z0-9+/]{40}", refused.value.message)


def test_what_is_long_and_repeats_itself_takes_less_room_where_that_is_wanted() -> None:
    long = "the same words again, and " * 200
    small = RING.seal(long, place="p", compress=True)
    assert len(small) < len(long) / 10 < len(RING.seal(long, place="p"))
    assert (long, "2026") == (RING.open(small, place="p"), sealed_with(small))
    with pytest.raises(CannotOpen):
        RING.open(small, place="elsewhere")
    with pytest.raises(CannotOpen):
        RING.open(small.replace("sealed:2:", "sealed:2:no"), place="p")


def test_what_is_short_is_not_compressed() -> None:
    assert RING.seal("short", place="p", compress=True).startswith(MARK)
