import re
import unicodedata
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.safety.generated import cards_in_chatter, look_alikes
from tools.safety.mask import mask
from tools.safety.numbers import find_cards


def digits_of(text: str) -> str:
    values = (unicodedata.digit(c, None) for c in text)
    return "".join(str(value) for value in values if value is not None)


def test_every_generated_card_is_masked_to_its_last_four() -> None:
    missed = []
    for text, digits in cards_in_chatter(1200):
        masked = mask(text)
        if (
            digits[:-4] in digits_of(masked.text)
            or "card" not in masked.found
            or f"[card ••••{digits[-4:]}]" not in masked.text
        ):
            missed.append(text)
    assert [] == missed


def test_no_look_alike_is_touched() -> None:
    touched = [(text, mask(text).text) for text in look_alikes(1500) if mask(text).text != text]
    assert [] == touched


def test_no_id_of_ours_is_touched_whatever_digits_it_holds() -> None:
    """An audit entry whose action's id was masked could never be found again."""
    ids = [uuid5(NAMESPACE_URL, str(number)) for number in range(20_000)]
    told = [form for one in ids for form in (str(one), f"anon_{one.hex}", f"/threads/{one}/runs", f"run {one}.")]
    assert [] == [text for text in told if mask(text).text != text]
    assert any(find_cards(str(one).replace("-", " ", 1)) for one in ids), "none of them holds a card's digits"


def test_a_card_beside_an_id_is_masked() -> None:
    text = mask(f"{uuid5(NAMESPACE_URL, 'one')} 4242-4242-4242-4242 {uuid5(NAMESPACE_URL, 'two')}").text
    assert f"{uuid5(NAMESPACE_URL, 'one')} [card ••••4242] {uuid5(NAMESPACE_URL, 'two')}" == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("my card is 4242 4242 4242 4242 exp 12/27 cvv 123", "my card is [card] exp [expiry] cvv [cvv]"),
        ("4242 4242 4242 4242 12/27 123", "[card] [expiry] [cvv]"),
        ("378282246310005 ok", "[card ••••0005] ok"),
        ("3782 822463 10005", "[card ••••0005]"),
        ("4242-4242-4242-4242, 5555 5555 5555 4444", "[card ••••4242], [card ••••4444]"),
        ("4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", "[card ••••4242]"),
        ("card4242424242424242", "card[card ••••4242]"),
        ("cvc: 999", "cvc: [cvv]"),
        ("the security code on the back is 1234", "the security code on the back is [cvv]"),
        ("123 is the security code", "[cvv] is the security code"),
        ("Prüfziffer 321", "Prüfziffer [cvv]"),
        ("DE89 3704 0044 0532 0130 00 thanks", "[iban] thanks"),
        ("gb82west12345698765432", "[iban]"),
        ("my code is 482913", "my code is [one-time code]"),
        ("verification code: 482-913.", "verification code: [one-time code]."),
        ("sk_live_51H8abcdefgh and rk_test_abcdefgh12", "[api key] and [api key]"),
        ("whsec_abcdefgh1234", "[api key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[api key]"),
        ("the token is abcdefghijklmnopqrstuvw12345", "the token is [api key]"),
        ("my password is hunter2 ok", "my password is [password] ok"),
        ("password: correcthorse", "password: [password]"),
        ("Passwort lautet geheim!1", "Passwort lautet [password]"),
        ("pin: 1234", "pin: [password]"),
    ],
)
def test_secrets_are_taken_out(text: str, masked: str) -> None:
    assert masked == mask(text).text


@pytest.mark.parametrize(
    "text",
    [
        "my password is not working",
        "I forgot my password.",
        "the password is required",
        "promo code 482913",
        "zip code 941036",
        "error code 500500",
        "DE89 3704 0044 0532 0130 01",
        "in_1MtHbELkdIwHu7ixl4OzzPMv is the invoice token",
        "card ending in 4242",
        "[card ••••4242] and [one-time code] and [cvv] and [iban]",
        "my social security number is 123-45-6789",
        "the key is under the mat",
        "I paid 123 on the card",
        "0000 0000 0000 0000",
    ],
)
def test_harmless_text_is_left_as_it_is(text: str) -> None:
    assert text == mask(text).text
    assert () == mask(text).found


def test_what_was_found_is_named_once_each_in_the_order_of_the_text() -> None:
    text = "GB82WEST12345698765432, 4242424242424242, 5555555555554444, cvv 123"
    assert ("iban", "card", "cvv") == mask(text).found


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789 -.4242cardvpinkeytoken:=@é•[]"), max_size=80))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text).text
    assert once == mask(once).text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_text_without_digits_or_cues_stays(text: str) -> None:
    plain = re.sub(r"[\W\d_]", " ", "".join(c for c in text if c.isascii()))
    assert plain == mask(plain).text
