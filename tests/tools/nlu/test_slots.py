import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.safety.generated import card_numbers
from tools.nlu.slots import find_email, find_instalments, find_invoice_number, find_last4, find_phone, parse


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ada@example.com", "ada@example.com"),
        ("My mail: Ada.Lovelace+bills@Example.CO.uk.", "ada.lovelace+bills@example.co.uk"),
        ("<grace@example.org>, thanks", "grace@example.org"),
        ("(it's o'hara@example.com)", "o'hara@example.com"),
        ("ada@example", None),
        ("@ada is here", None),
        ("ada @ example.com", None),
    ],
)
def test_email(text: str, email: str | None) -> None:
    assert email == parse(text).email


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+1 415 555 2671", "+14155552671"),
        ("call me at (415) 555-2671 please", "+14155552671"),
        ("meine Nummer ist +49 30 23125 111", "+493023125111"),
        ("+３３ 6 12 34 56 78", "+33612345678"),
        ("4242 4242 4242 4242", None),
        ("4242424242424242", None),
        ("invoice 4155552671-0001", None),
        ("CF-2026-000001", None),
        ("order 20261123", None),
        ("$4155552671", None),
        ("on 2026-11-23", None),
        ("ch_4155552671", None),
    ],
)
def test_phone(text: str, phone: str | None) -> None:
    assert phone == parse(text).phone


def test_phone_reads_national_numbers_of_the_region_given() -> None:
    found = find_phone("030 23125111", region="DE")
    assert found is not None
    assert "+493023125111" == found[0]


def test_no_card_number_is_ever_a_phone_number() -> None:
    assert [] == [card for card in card_numbers(300) if find_phone(f"here it is {card} ok")]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$49", 4900, "usd"),
        ("49.00 usd", 4900, "usd"),
        ("1.000,50 €", 100050, "eur"),
        ("EUR 1,000.50", 100050, "eur"),
        ("refund 20 bucks", 2000, "usd"),
        ("¥4900", 4900, "jpy"),
        ("£1,234", 123400, "gbp"),
        ("99 cents", 99, "usd"),
        ("$5k", 500000, "usd"),
        ("10", None, None),
        ("try 5 times", None, None),
        ("in 3 parts", None, None),
        ("invoice ABCD1234-0001", None, None),
    ],
)
def test_amount(text: str, amount: int | None, currency: str | None) -> None:
    slots = parse(text)
    assert (amount, currency) == (slots.amount, slots.currency)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("the PDF of invoice ABCD1234-0002", "ABCD1234-0002"),
        ("abcd1234-0002", "ABCD1234-0002"),
        ("9F2C77AA-0015?", "9F2C77AA-0015"),
        ("ABCD-0001", "ABCD-0001"),
        ("the year 2025-2026", None),
        ("last-2024", None),
        ("+1 415 555-0132", None),
        ("4242-4242-4242-4242", None),
    ],
)
def test_invoice_number(text: str, number: str | None) -> None:
    assert number == find_invoice_number(text)


@pytest.mark.parametrize(
    ("text", "last4"),
    [
        ("my card ending in 4242", "4242"),
        ("card ending 4242", "4242"),
        ("the visa 1881", "1881"),
        ("[card ••••1234]", "1234"),
        ("**** **** **** 9999", "9999"),
        ("last four digits are 0005", "0005"),
        ("Karte endet auf 4242", "4242"),
        ("la tarjeta terminada en 4242", "4242"),
        ("carte se terminant par 4242", "4242"),
        ("in 2026", None),
        ("the weekend 2026", None),
    ],
)
def test_last4(text: str, last4: str | None) -> None:
    assert last4 == find_last4(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("can I pay in 3 parts?", 3),
        ("three installments", 3),
        ("three instalments please", 3),
        ("4 months", 4),
        ("pay it off over six months", 6),
        ("split it in half", 2),
        ("in 3 Raten", 3),
        ("en 3 fois", 3),
        ("en tres cuotas", 3),
        ("two payments of $20", 2),
        ("I was charged two times", None),
        ("I tried 3 times to pay", None),
        ("refund 2 payments", None),
        ("cancel in 3 months", None),
        ("pay in 1 part", None),
        ("in 99 parts", None),
    ],
)
def test_instalments(text: str, parts: int | None) -> None:
    assert parts == find_instalments(text)


@settings(max_examples=100, deadline=None)
@given(
    local=st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12),
    domain=st.text(string.ascii_lowercase, min_size=1, max_size=12),
    before=st.sampled_from(["", "my email is ", "(", "Mail: "]),
    after=st.sampled_from(["", ".", ", thanks", ")"]),
)
def test_an_address_is_found_whole_wherever_it_stands(local: str, domain: str, before: str, after: str) -> None:
    found = find_email(f"{before}{local}@{domain}.com{after}")
    assert found is not None
    assert f"{local}@{domain}.com" == found.group()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_parsed_without_error(text: str) -> None:
    assert parse(text) == parse(text)
