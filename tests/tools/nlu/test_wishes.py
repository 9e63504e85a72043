"""How long, how many, what name: values of wishes, found as they are written or not at all."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.nlu.slots import parse

TODAY = date(2026, 11, 26)
"""A Thursday."""


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("freeze my subscription for two months", 2),
        ("stop billing for 3 months then continue", 3),
        ("I want to skip a month", 1),
        ("Abo für zwei Monate pausieren", 2),
        ("suspendre mon abonnement pendant deux mois", 2),
        ("I was charged 3 months ago", None),
        ("the last 2 months were wrong", None),
        ("it costs $49 a month", None),
        ("one month, or two months", None),
        ("pause it for 60 days", None),
    ],
)
def test_months(text: str, months: int | None) -> None:
    assert months == parse(text, today=TODAY).months


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("is it ok if I pay ten days late", 10),
        ("please give me two more weeks", 14),
        ("a week would help", 7),
        ("one fortnight please", 14),
        ("noch 5 Tage", 5),
        ("my invoice is 5 days overdue", None),
        ("in the last 10 days", None),
    ],
)
def test_days(text: str, days: int | None) -> None:
    assert days == parse(text, today=TODAY).days


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("extend it until December 5", "2026-12-05"),
        ("move it to the 5th of January", "2027-01-05"),
        ("can I pay by 2026-12-10?", "2026-12-10"),
        ("due tomorrow, and I can't pay till Monday", "2026-11-30"),
        ("can I pay on Thursday", "2026-12-03"),
        ("I'll get paid on the 1st, can I pay then", "2026-12-01"),
        ("could I pay at the end of the month", "2026-11-30"),
        ("bis morgen", "2026-11-27"),
        ("I paid 49 dollars in November", None),
        ("until Monday or until Friday", None),
        ("on the 0th", None),
    ],
)
def test_a_day_to_wait_for_is_the_next_such_day(text: str, until: str | None) -> None:
    assert until == parse(text, today=TODAY).until


@pytest.mark.parametrize(
    ("text", "seats", "more"),
    [
        ("we need 10 seats instead of 8", 10, None),
        ("reduce the number of users to 5", 5, None),
        ("change from 8 seats to 10 seats", 10, None),
        ("add two more seats", None, 2),
        ("I want to add another user license", None, 1),
        ("zwei Lizenzen mehr bitte", None, 2),
        ("remove a seat from our plan", None, -1),
        ("reduce by 2 seats", None, -2),
        ("3 fewer seats", None, -3),
        ("upgrade me", None, None),
        ("I was charged 3 times", None, None),
    ],
)
def test_seats(text: str, seats: int | None, more: int | None) -> None:
    found = parse(text)

    assert (seats, more) == (found.seats, found.more_seats)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("switch me to the annual plan", "year"),
        ("can I switch from monthly to yearly", "year"),
        ("change to monthly billing", "month"),
        ("monthly or yearly?", None),
        ("upgrade me", None),
    ],
)
def test_what_a_price_is_for(text: str, interval: str | None) -> None:
    assert interval == parse(text).interval


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("change the company name on the invoice to Byron Analytics Ltd please", "Byron Analytics Ltd"),
        ('our company name should be "Foo GmbH & Co. KG" from now on', "Foo GmbH & Co. KG"),
        ("Company name: ACME, Inc.", "ACME, Inc."),
        ("change the name on my invoices to Ada Lovelace and add our VAT id", "Ada Lovelace"),
        ("the name on my invoice is wrong", None),
        ("there's a typo in my company name", None),
        ("change my company name to ada@example.com", None),
        ("upgrade to Business", None),
    ],
)
def test_a_new_name_is_the_one_that_is_written_out(text: str, name: str | None) -> None:
    assert name == parse(text).company


@pytest.mark.parametrize(
    ("text", "tax_id"),
    [
        ("our VAT number is DE 123 456 789", ("eu_vat", "DE123456789")),
        ("add ATU12345678 to the invoices", ("eu_vat", "ATU12345678")),
        ("NL123456789B01 please", ("eu_vat", "NL123456789B01")),
        ("GB123456789", ("gb_vat", "GB123456789")),
        ("CHE-123.456.789 TVA", ("ch_vat", "CHE-123.456.789 TVA")),
        ("DE12345678", None),
        ("invoice DE123456789-0001", None),
        ("add our VAT number to the invoice", None),
    ],
)
def test_a_tax_id_is_told_by_its_format(text: str, tax_id: tuple[str, str] | None) -> None:
    assert tax_id == parse(text).tax_id


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("use a different email address for invoices", ("email",)),
        ("send all invoices to finance@example.com", ("email",)),
        ("bills should go to finance@example.com", ("email",)),
        ("change the name on my invoices to Byron Ltd", ("name",)),
        ("we moved, please update our address", ("address",)),
        ("change my company name and VAT id", ("tax_id", "name")),
        ("put a PO number on the invoice", ("other",)),
        ("edit billing information", ()),
    ],
)
def test_which_details_are_spoken_of(text: str, fields: tuple[str, ...]) -> None:
    assert fields == parse(text).fields


@given(st.text(max_size=80), st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 12, 31)))
def test_no_text_breaks_the_parsers_and_no_day_to_wait_for_is_past(text: str, today: date) -> None:
    until = parse(f"until {text}", today=today).until

    assert until is None or until >= today.isoformat()
