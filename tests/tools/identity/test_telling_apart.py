"""What is asked to tell accounts apart, what counts as an answer, and whose it is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.tools.identity.fakes import Directory
from tools.identity.telling_apart import Kind, Secrets, answers_in, owner, question_for, secrets_of, without_answer
from tools.money import Money

TODAY = date(2026, 11, 26)
NOTHING: Secrets = {"last4": frozenset(), "payment": frozenset(), "invoice": frozenset()}


def known(**of: str | set[str]) -> Secrets:
    given: Any = {kind: frozenset({value} if isinstance(value, str) else value) for kind, value in of.items()}
    return {**NOTHING, **given}


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (known(last4="4242"), known(last4="4444"), "last4"),
        (known(last4="4242", payment="a", invoice="A1"), known(last4="4242", payment="b", invoice="B1"), "payment"),
        (known(last4="4242", payment="a", invoice="A1"), known(last4="4242", payment="a", invoice="B1"), "invoice"),
        (known(last4={"4242", "1111"}, invoice="A1"), known(last4={"4242"}, invoice="B1"), "invoice"),
        (known(invoice="A1"), known(last4="4242", invoice="B1"), "invoice"),
        (known(last4="4242"), known(), "last4"),
        (known(last4="4242"), known(last4="4242"), None),
        (known(), known(), None),
    ],
)
def test_what_two_accounts_share_is_not_asked(one: Secrets, other: Secrets, kind: Kind | None) -> None:
    assert kind == question_for({"cus_1": one, "cus_2": other})
    assert kind == question_for({"cus_2": other, "cus_1": one})


@pytest.mark.parametrize(
    ("answers", "whose"),
    [({"4242"}, "cus_1"), ({"4444"}, "cus_2"), ({"1111"}, None), ({"0000"}, None), (set(), None)],
)
def test_an_answer_that_fits_none_or_several_is_nobodys(answers: set[str], whose: str | None) -> None:
    accounts = {"cus_1": known(last4={"4242", "1111"}), "cus_2": known(last4={"4444", "1111"})}

    assert whose == owner("last4", frozenset(answers), accounts)


@pytest.mark.parametrize("text", ["4242", "it's 4242.", "my card ends in 4242, thanks", "４２４２", "4242!"])
def test_four_digits_are_an_answer(text: str) -> None:
    assert {"4242"} == answers_in("last4", text, TODAY)


@pytest.mark.parametrize(
    "text", ["", "I don't know", "424", "42424", "4242 or 4444", "4242 4242 4242 4242", "ada1999@example.com", "42.42"]
)
def test_what_is_no_four_digits_or_more_than_one_guess_is_no_answer(text: str) -> None:
    assert frozenset() == answers_in("last4", text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "19.00 on October 7",
        "$19.00, Oct 7th",
        "October 7, 2026: 19 dollars",
        "19,00 € am 7. Oktober",
        "2026-10-07 19",
        "19.00 on 10/7",
        "7/10 19.00",
        "it was 19.00 on 07/10/2026",
    ],
)
def test_an_amount_and_a_day_are_an_answer_however_they_are_written(text: str) -> None:
    assert "19 on 2026-10-07" in answers_in("payment", text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "19.00",
        "October 7",
        "19.00 or 29.00 on October 7",
        "19.00 on October 7 or October 8",
        "19.00 on 10/7 or 10/8",
        "I don't know",
    ],
)
def test_half_an_answer_or_more_than_one_guess_is_none(text: str) -> None:
    assert frozenset() == answers_in("payment", text, TODAY)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("4,900 yen on October 7", "4900"), ("15.250 on October 7", "15.25"), ("1,234.50 on October 7", "1234.5")],
)
def test_currencies_with_other_decimals_are_read_too(text: str, amount: str) -> None:
    assert f"{amount} on 2026-10-07" in answers_in("payment", text, TODAY)


@pytest.mark.parametrize("text", ["ABCD1234-0001", "it is abcd1234-0001.", "Invoice ABCD1234‑0001"])
def test_an_invoice_number_is_an_answer_in_any_case(text: str) -> None:
    assert {"ABCD1234-0001"} == answers_in("invoice", text, TODAY)


def test_two_invoice_numbers_are_none() -> None:
    assert frozenset() == answers_in("invoice", "ABCD1234-0001 or ABCD1234-0002", TODAY)


async def test_an_owner_knows_cards_the_last_payment_and_invoices() -> None:
    billing = Directory()
    late = datetime(2026, 10, 7, 2, tzinfo=UTC)
    billing.cards["cus_ada"] = "4242"
    billing.payments["cus_ada"] = [(Money(1900, "usd"), late), (Money(500, "usd"), datetime(2026, 9, 1, tzinfo=UTC))]
    billing.invoices["cus_ada"] = ("abcd1234-0001",)

    secrets = await secrets_of(billing, "cus_ada")

    assert {"4242"} == secrets["last4"]
    assert {"19 on 2026-10-06", "19 on 2026-10-07"} == secrets["payment"], "in California it was still the 6th"
    assert {"ABCD1234-0001"} == secrets["invoice"]


async def test_who_never_paid_and_has_no_card_knows_nothing() -> None:
    assert NOTHING == await secrets_of(Directory(), "cus_ada")


def test_an_answer_is_taken_out_and_the_rest_stays() -> None:
    told = without_answer("$19.00 on October 7, and cancel my plan (ABCD1234-0001)")

    assert "[answer] on October [answer] and cancel my plan [answer]" == told
