import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.billing import contact

NUMBER = "+12025550123"


@pytest.mark.parametrize("text", ["ada@example.com", "Ada.L+billing@Mail.Example.co.uk", " ada@example.com "])
def test_ordinary_addresses_may_be_searched(text: str) -> None:
    address = contact.email_of(text)

    assert text.strip() == address
    assert contact.may_be_searched(address)


@pytest.mark.parametrize("text", ["o'brien@example.com", "x'OR'1@example.com", 'a"b@example.com', "a\\@example.com"])
def test_an_address_with_a_quote_is_listed_but_never_searched(text: str) -> None:
    assert text == contact.email_of(text)
    assert not contact.may_be_searched(text)


@pytest.mark.parametrize(
    "text", ["", "ada", "ada@", "@example.com", "a b@example.com", "a@b\n.com", "a@" + "x" * 300, "a@b@c.com"]
)
def test_what_is_no_address_is_not_asked_for(text: str) -> None:
    assert contact.email_of(text) is None


@given(st.text(max_size=60))
def test_nothing_that_may_be_searched_can_end_a_query_string(text: str) -> None:
    if contact.may_be_searched(text):
        assert not set(text) & set("'\"\\ \n:~")


@pytest.mark.parametrize(
    "text",
    ["+12025550123", "+1 202-555-0123", "(202) 555-0123", "202.555.0123", "12025550123", " 2025550123 "],
)
def test_one_number_however_it_is_written(text: str) -> None:
    assert contact.phone_of(text, region="US") == NUMBER


def test_the_region_decides_what_a_national_number_means() -> None:
    assert contact.phone_of("020 7946 0123", region="GB") == "+442079460123"


@pytest.mark.parametrize("text", ["", "ada", "12", "+1 555 OR name~'a'", "' OR email~'a", "+999999999999", "0" * 31])
def test_what_is_no_number_is_not_asked_for(text: str) -> None:
    assert contact.phone_of(text, region="US") is None


@pytest.mark.parametrize("spelling", [NUMBER, "+1 202-555-0123", "(202) 555-0123", "12025550123", "2025550123"])
def test_spellings_hold_the_usual_ones(spelling: str) -> None:
    assert spelling in contact.spellings(NUMBER)


def test_a_query_asks_for_any_spelling() -> None:
    assert contact.any_of("phone", ["+1555", "1555"]) == "phone:'+1555' OR phone:'1555'"
