import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.identity.codes import codes_in, new_code, seal, without_codes

SEALED = {"thread": "t", "address": "ada@example.com", "nonce": "n", "code": "123456"}


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "123 456",
        "123-456",
        "123–456",  # as a phone corrects it
        "123\u00a0456",
        "My code is 123456.",
        "code:123456, thanks",
        "(123456)",
        "#123456",
        "it says 123 456!",
        "１２３４５６",
    ],
)
def test_a_code_is_found_however_it_is_typed(text: str) -> None:
    assert codes_in(text) == ["123456"]
    assert codes_in(without_codes(text)) == []
    assert "[one-time code]" in without_codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242",
        "4242424242424242",
        "+1 555 123 4567",
        "+48 512 345 678",
        "555-123-4567",
        "030 123456",
        "receipt CF-2026-000001",
        "invoice INV-123456",
        "ch_3N123456abc",
        "AB123456",
        "$1,123,456.00",
        "123456.50",
        "12345",
        "1234567",
        "2026-11-23",
    ],
)
def test_numbers_that_are_no_codes_are_left_alone(text: str) -> None:
    assert codes_in(text) == []
    assert text == without_codes(text)


def test_several_codes_are_all_taken_out() -> None:
    assert codes_in("123456 or 654321?") == ["123456", "654321"]
    assert without_codes("123456 or 654321?") == "[one-time code] or [one-time code]?"


@given(before=st.text(alphabet="abc ,.!?\n"), after=st.text(alphabet="abc ,.!?\n"))
def test_words_around_a_code_stay_as_they_are(before: str, after: str) -> None:
    text = f"{before} 123456 {after}"
    assert f"{before} [one-time code] {after}" == without_codes(text)


def test_a_new_code_has_six_digits_and_is_found() -> None:
    for code in (new_code() for _ in range(100)):
        assert len(code) == 6
        assert [code] == codes_in(code)


@pytest.mark.parametrize("part", ["thread", "address", "nonce", "code"])
def test_a_seal_is_bound_to_every_part(part: str) -> None:
    pepper = b"pepper"
    assert seal(pepper, **SEALED) != seal(pepper, **{**SEALED, part: "other"})
    assert seal(pepper, **SEALED) != seal(b"other", **SEALED)
    assert seal(pepper, **SEALED) == seal(pepper, **{**SEALED, "address": "Ada@Example.com"})
