from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.identity.codes import codes_in, new_code, seal, without_codes, without_told_codes

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


@pytest.mark.parametrize(
    "text",
    [
        "247123",
        "247 123",
        " 247-123. ",
        '"247123"',
        "code is 247123",
        "the code is 247123 and also cancel my subscription",
        "my code: 247123",
        "code 247123",
        "the code you sent me is 247123",
        "the code I got was 247 123",
        "247123 is the code",
        "Your Acme code is 247123. It is valid for 10 minutes.",
        "mein Code ist 247123",
        "der Bestätigungscode lautet 247123",
        "247123 ist der Code",
        "mi código es 247123",
        "el codigo: 247123",
        "le code est 247123",
        "mon code : 247123",
        "OTP 247123",
    ],
)
def test_what_is_plainly_a_code_is_taken_out_by_itself(text: str) -> None:
    told = without_told_codes(text)
    assert "[one-time code]" in told
    assert codes_in(told) == []


@pytest.mark.parametrize(
    "text",
    [
        "order 247123",
        "invoice 247123",
        "my invoice number is 247123",
        "$247123",
        "247123 €",
        "refund 247123",
        "247123.50",
        "+1 415 555 2671",
        "call 555 247 123",
        "ABCD1234-0001",
        "CF-2026-247123",
        "promo code 247123",
        "discount code: 247123",
        "my zip code is 247123",
        "postal code 247 123",
        "error code 247123",
        "is 247123 my order?",
        "2471234",
    ],
)
def test_numbers_that_nobody_calls_a_code_stay(text: str) -> None:
    assert text == without_told_codes(text)


def test_beside_a_told_code_other_numbers_stay() -> None:
    assert "my code is [one-time code], order 999888" == without_told_codes("my code is 247123, order 999888")


def test_a_long_text_is_searched_at_once() -> None:
    started = perf_counter()
    for text in ("code" + " " * 20_000, "code, " * 4_000, "code is i a b " * 2_000, "247123 " * 3_000 + "x"):
        without_told_codes(text)
    assert perf_counter() - started < 1
