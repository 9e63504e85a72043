from datetime import timedelta
from typing import Any

import pytest

from tests.tools.billing.make import MASTERCARD, NOW, charge, invoice, line, picture, usd
from tools.billing.analysis import find_duplicates
from tools.billing.types import BillingPicture, Charge
from tools.money import Money


def found(billing: BillingPicture) -> list[tuple[str, str]]:
    return [(dup.earlier.id, dup.later.id) for dup in find_duplicates(billing)]


def test_two_like_charges_minutes_apart_are_a_duplicate_and_the_later_is_named() -> None:
    first, second = charge("first"), charge("second", minutes=3)

    (duplicate,) = find_duplicates(picture(second, first))

    assert (first, second) == (duplicate.earlier, duplicate.later)
    assert duplicate.evidence == ("ch_first", "ch_second", "pi_first", "pi_second")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": usd(4901)},
        {"card": MASTERCARD},
        {"card": None},
        {"payment_intent": "pi_first"},
        {"status": "failed"},
        {"captured": usd(0)},
        {"captured": usd(2000)},
        {"refunded": usd(100)},
        {"disputed": True},
        {"description": "Extra storage"},
        {"order_id": "1002"},
        {"created": NOW + timedelta(hours=24, seconds=1)},
    ],
    ids=", ".join,
)
def test_a_charge_that_differs_in_this_is_no_duplicate(changes: dict[str, Any]) -> None:
    second = charge("second", **{"minutes": 3, **changes})

    assert found(picture(second, charge("first"))) == []


def test_the_same_amount_in_another_currency_is_no_duplicate() -> None:
    dollars, euros = charge("first"), charge("second", minutes=3, amount=Money(4900, "eur"))

    assert found(picture(euros, dollars)) == []


def test_a_refunded_first_charge_leaves_the_second_as_the_real_one() -> None:
    assert found(picture(charge("second", minutes=3), charge("first", refunded=usd(4900)))) == []


def test_of_three_like_charges_the_first_is_kept() -> None:
    charges = [charge("third", minutes=6), charge("second", minutes=3), charge("first")]

    assert found(picture(*charges)) == [("ch_first", "ch_third"), ("ch_first", "ch_second")]


def paying(first: str, second: str) -> tuple[Charge, Charge]:
    return charge("second", minutes=3, invoice=second), charge("first", invoice=first)


def test_a_payment_outside_invoices_repeats_the_paid_invoice_of_the_same_name() -> None:
    charges = (charge("second", minutes=3), charge("first", invoice="in_1"))

    assert found(picture(*charges, invoices=(invoice("1", line()),))) == [("ch_first", "ch_second")]


def test_a_charge_whose_invoice_cannot_be_seen_is_left_to_a_person() -> None:
    assert found(picture(*paying("in_1", "in_unseen"), invoices=(invoice("1", line()),))) == []


def test_seats_on_two_subscriptions_explain_each_other() -> None:
    invoices = (
        invoice("1", line(), subscription="sub_1"),
        invoice("2", line(), subscription="sub_2"),
    )

    assert found(picture(*paying("in_1", "in_2"), invoices=invoices)) == []


def test_consecutive_periods_explain_each_other() -> None:
    day = timedelta(days=1)
    today = line(period_end=NOW + day)
    tomorrow = line(period_start=NOW + day, period_end=NOW + 2 * day)
    invoices = (invoice("1", today, subscription="sub_1"), invoice("2", tomorrow, subscription="sub_1"))

    assert found(picture(*paying("in_1", "in_2"), invoices=invoices)) == []


@pytest.mark.parametrize(
    "other",
    [
        line("Setup", 4900),
        line(product="prod_2"),
        line(quantity=7),
    ],
)
def test_invoices_with_other_lines_explain_each_other(other: Any) -> None:
    invoices = (invoice("1", line()), invoice("2", other))

    assert found(picture(*paying("in_1", "in_2"), invoices=invoices)) == []


def test_two_invoices_for_the_same_period_of_one_subscription_are_a_duplicate() -> None:
    invoices = (
        invoice("1", line(), subscription="sub_1"),
        invoice("2", line(), subscription="sub_1"),
    )

    assert found(picture(*paying("in_1", "in_2"), invoices=invoices)) == [("ch_first", "ch_second")]


def test_two_one_off_invoices_for_the_same_thing_are_a_duplicate() -> None:
    """Lines of one-off items have an instant for a period, and the instants differ."""
    later = NOW + timedelta(minutes=3)
    invoices = (
        invoice("1", line("Report", period_end=NOW)),
        invoice("2", line("Report", period_start=later, period_end=later)),
    )

    assert found(picture(*paying("in_1", "in_2"), invoices=invoices)) == [("ch_first", "ch_second")]


def test_an_invoice_paid_twice_is_a_duplicate_even_on_another_card_days_later() -> None:
    first = charge("first", invoice="in_1")
    second = charge("second", minutes=60 * 24 * 5, invoice="in_1", card=MASTERCARD)

    (duplicate,) = find_duplicates(picture(second, first, invoices=(invoice("1", line()),)))

    assert (first, second) == (duplicate.earlier, duplicate.later)
    assert "in_1" in duplicate.evidence


def test_equal_instalments_of_one_invoice_are_no_duplicate() -> None:
    invoices = (invoice("1", line("Annual plan", 9800)),)

    assert found(picture(*paying("in_1", "in_1"), invoices=invoices)) == []


def test_an_invoice_that_credit_paid_in_part_counts_only_what_was_left_to_pay() -> None:
    invoices = (invoice("1", line("Annual plan", 9800), credit_used=usd(4900)),)

    assert found(picture(*paying("in_1", "in_1"), invoices=invoices)) == [("ch_first", "ch_second")]


def test_a_last_instalment_that_is_too_large_is_not_named_as_a_whole() -> None:
    invoices = (invoice("1", line("Annual plan", 9000)),)

    assert found(picture(*paying("in_1", "in_1"), invoices=invoices)) == []
