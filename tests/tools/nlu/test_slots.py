import string
from datetime import date

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
        ("pay in 1 part", 1),
        ("in 1 part", 1),
        ("can I pay in one go", 1),
        ("in 99 parts", 99),
        ("100 instalments", 100),
        ("in 999 parts", 999),
        ("in 3", 3),
        ("split it by 3", 3),
        ("in 1000 parts", None),
        ("0 parts", None),
        ("one part of it is wrong", None),
        ("I made one payment", None),
        ("pay by 15", None),
        ("pay 100 monthly", None),
    ],
)
def test_instalments(text: str, parts: int | None) -> None:
    assert parts == find_instalments(text)


@pytest.mark.parametrize(
    ("text", "ordinal"),
    [
        ("the first one", 1),
        ("first", 1),
        ("yes the first one", 1),
        ("second", 2),
        ("the second one please", 2),
        ("I mean the third charge", 3),
        ("2nd", 2),
        ("#2", 2),
        ("number 4", 4),
        ("the last one", -1),
        ("the oldest", -1),
        ("the newest", 1),
        ("the latest charge", 1),
        ("the most recent one", 1),
        ("die zweite bitte", 2),
        ("el segundo", 2),
        ("la première", 1),
        ("the last charge", None),
        ("one second", None),
        ("wait a second", None),
        ("this is the first time", None),
        ("first cancel my plan", None),
        ("2", None),
        ("#0", None),
    ],
)
def test_ordinal(text: str, ordinal: int | None) -> None:
    assert ordinal == parse(text).ordinal


@pytest.mark.parametrize(
    ("text", "day", "month"),
    [
        ("November 19", "2026-11-19", None),
        ("the one of 19 November please", "2026-11-19", None),
        ("Nov 19th", "2026-11-19", None),
        ("Nov 23", "2026-11-23", None),
        ("Nov 24", "2025-11-24", None),
        ("December 5", "2025-12-05", None),
        ("Feb 29", "2024-02-29", None),
        ("2026-11-19", "2026-11-19", None),
        ("november 19, 2025", "2025-11-19", None),
        ("am 19. November", "2026-11-19", None),
        ("19.11.2026", "2026-11-19", None),
        ("19 de noviembre de 2025", "2025-11-19", None),
        ("le 1er novembre", "2026-11-01", None),
        ("may 5", "2026-05-05", None),
        ("the October charge", None, 10),
        ("october", None, 10),
        ("in March", None, 3),
        ("the may one", None, 5),
        ("you may refund me", None, None),
        ("November 31", None, None),
        ("October and November", None, None),
        ("Nov 1 and Nov 5", None, None),
        ("11/12/2026", None, None),
    ],
)
def test_day_and_month(text: str, day: str | None, month: int | None) -> None:
    slots = parse(text, today=date(2026, 11, 23))
    assert (day, month) == (slots.day, slots.month)


@pytest.mark.parametrize(
    ("text", "bare", "amount"),
    [
        ("49", "49.00", None),
        ("49.00", "49.00", None),
        ("49,00", "49.00", None),
        ("49.5", "49.50", None),
        ("1,234.50", "1234.50", None),
        ("the 49 one please", "49.00", None),
        ("$49", None, 4900),
        ("25 dollars", None, 2500),
        ("¥4900", None, 4900),
        ("yes 49", None, None),
        ("49 49", None, None),
        ("4242 4242 4242 4242", None, None),
        ("in 3 parts", None, None),
        ("what was the charge of 16,200?", "16200.00", None),
        ("I don't recognise a payment of 19 from May", "19.00", None),
        ("refund 5.12 please, the charge of $19", None, 1900),
        ("a charge of 3 seats", None, None),
    ],
)
def test_a_number_that_is_the_whole_message_or_names_a_charge(text: str, bare: str | None, amount: int | None) -> None:
    slots = parse(text)
    assert (bare, amount) == (slots.bare, slots.amount)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("refund 5.120 dinars", [5120, 5120, 5120, 5120]),
        ("AED 5", []),
        ("12 dirhams", []),
        ("kr 499", [49_900, 49_900, 49_900]),
    ],
)
def test_a_word_or_sign_of_several_currencies_means_any_of_them(text: str, amounts: list[int]) -> None:
    assert amounts == [amount for amount, _ in parse(text).amounts]


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
