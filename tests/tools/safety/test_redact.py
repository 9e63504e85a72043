"""What logs, traces and exports may hold."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from tools.safety.deep import mask_deep
from tools.safety.redact import redact, redact_deep


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ada@example.com wrote", "a•••@example.com wrote"),
        ("GET /demo/inbox?email=ada%40example.com", "GET /demo/inbox?email=a•••@example.com"),
        ("call +44 20 7946 0123", "call [phone •••23]"),
        ("my number is 030 1234567", "my number is [phone •••67]"),
        ("(212) 555-0123", "[phone •••23]"),
        ("card 4242424242424242, cvv 123, a@b.example", "card [card], cvv [cvv], a•••@b.example"),
        ("redis://:hunter2!@localhost:6379", "redis://:[password]@localhost:6379"),
    ],
)
def test_addresses_and_numbers_stay_recognisable_and_no_more(text: str, told: str) -> None:
    assert told == redact(text)
    assert told == redact(told)


@pytest.mark.parametrize(
    "text",
    [
        "thread 0199f2c4-1111-7444-9222-123456789012",
        "CF-2026-000123 of 2026-11-03 at 10:00:00.123456",
        "ch_3Qabc4242424242424242 refunded 4999 usd",
        "0.0123 s, 1764144000000-0",
    ],
)
def test_names_and_figures_of_our_own_stay(text: str) -> None:
    assert text == redact(text)


def test_texts_are_found_however_deep_and_other_things_stay() -> None:
    at, name = datetime(2026, 11, 3, tzinfo=UTC), UUID(int=7)
    given_in = {"a": [{"jo@example.com": ("x", at, name, 4999, 4242424242424242, None, True)}]}
    assert {"a": [{"j•••@example.com": ["x", at, name, 4999, "[card ••••4242]", None, True]}]} == redact_deep(given_in)
    message = redact_deep({"messages": [HumanMessage("card 4242424242424242")]})["messages"][0]
    assert "card [card ••••4242]" == message["content"]


def test_numbers_in_records_are_amounts() -> None:
    assert {"amount": 4242424242424242, "note": "[card ••••4242]"} == mask_deep(
        {"amount": 4242424242424242, "note": "4242424242424242"}
    )


@given(st.text("0123456789 +-.@abc()/%40", max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert once == redact(once)
