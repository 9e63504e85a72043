from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.tools.billing.make import MASTERCARD, NOW, charge, invoice, line, picture, usd
from tools.billing.analysis import explain_pairs, find_duplicates
from tools.billing.types import BillingPicture, Charge, InvoiceLine, Payment
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
def test_invoices_with_other_lines_explain_each_other(other: InvoiceLine) -> None:
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


def test_an_order_paid_twice_is_a_duplicate_days_later_and_whatever_it_is_called() -> None:
    first = charge("first", order_id="1001")
    second = charge("second", minutes=60 * 50, order_id="1001", description="Payment, second try")

    (duplicate,) = find_duplicates(picture(second, first))

    assert (first, second, "same_order") == (duplicate.earlier, duplicate.later, duplicate.sign)


@pytest.mark.parametrize("balance", [usd(-4900), usd(-100)])
def test_what_is_overpaid_and_may_be_on_the_credit_balance_is_left_to_a_person(balance: Money) -> None:
    """Stripe credits it by itself: a refund would give it back a second time."""
    seen = picture(*paying("in_1", "in_1"), invoices=(invoice("1", line()),), balance=balance)

    assert found(seen) == []
    assert [("credited", False)] == [(pair.because, pair.certain) for pair in explain_pairs(seen)]


def test_credit_that_a_later_invoice_used_may_be_what_was_overpaid() -> None:
    later = invoice("2", line(), created=NOW + timedelta(days=30), credit_used=usd(4900))

    assert found(picture(*paying("in_1", "in_1"), invoices=(later, invoice("1", line())))) == []


def test_credit_used_before_is_not_what_was_overpaid() -> None:
    before = invoice("0", line(), created=NOW - timedelta(days=30), credit_used=usd(4900))
    invoices = (invoice("1", line()), before)

    assert found(picture(*paying("in_1", "in_1"), invoices=invoices)) == [("ch_first", "ch_second")]


def test_a_debt_on_the_balance_is_asked_for_and_not_overpaid() -> None:
    """A balance above zero is added to the next invoice."""
    invoices = (invoice("1", line("Annual plan", 9300), asked=usd(9800)),)
    first, second = charge("first", invoice="in_1", amount=usd(9300)), charge("second", invoice="in_1", amount=usd(500))

    assert found(picture(second, first, invoices=invoices)) == []


def test_what_a_credit_note_made_surplus_is_known_from_stripe() -> None:
    """Credit notes lower what an open invoice asks for, but not its total."""
    invoices = (invoice("1", line("Annual plan", 9800), overpaid=usd(4900)),)

    assert found(picture(*paying("in_1", "in_1"), invoices=invoices)) == [("ch_first", "ch_second")]


def test_a_surplus_that_was_given_back_is_none() -> None:
    gone = charge("gone", minutes=9, invoice="in_1", refunded=usd(4900))
    invoices = (invoice("1", line("Annual plan", 9800), overpaid=usd(4900)),)

    assert found(picture(gone, *paying("in_1", "in_1"), invoices=invoices)) == []


def test_a_charge_that_is_kept_is_not_refunded_by_another_finding() -> None:
    outside = charge("outside")
    first, second = charge("first", minutes=3, invoice="in_1"), charge("second", minutes=6, invoice="in_1")

    pairs = found(picture(second, first, outside, invoices=(invoice("1", line(), subscription="sub_1"),)))

    assert pairs == [("ch_outside", "ch_second"), ("ch_outside", "ch_first")]


def explained(seen: BillingPicture) -> list[tuple[str, str, str, bool]]:
    return [(pair.earlier.id, pair.later.id, pair.because, pair.certain) for pair in explain_pairs(seen)]


@pytest.mark.parametrize(
    ("changes", "because", "certain"),
    [
        ({"status": "failed", "captured": usd(0)}, "failed", True),
        ({"status": "pending", "captured": usd(0)}, "pending", False),
        ({"captured": usd(0)}, "authorisation", True),
        ({"captured": usd(2000)}, "authorisation", True),
        ({"refunded": usd(4900)}, "refunded", True),
        ({"disputed": True}, "disputed", True),
        ({"payment_intent": "pi_first"}, "same_payment", True),
        ({"amount": Money(4900, "eur")}, "other_currency", True),
        ({"card": MASTERCARD}, "other_card", True),
        ({"card": None}, "other_card", False),
        ({"description": "Extra storage"}, "other_purpose", True),
        ({"order_id": "1002"}, "other_order", False),
        ({"invoice": "in_unseen"}, "unseen_invoice", False),
        ({"minutes": 61}, "apart", False),
    ],
    ids=str,
)
def test_a_look_alike_is_explained(changes: dict[str, Any], because: str, certain: bool) -> None:
    second = charge("second", **{"minutes": 3, **changes})

    assert explained(picture(second, charge("first"))) == [("ch_first", "ch_second", because, certain)]


@pytest.mark.parametrize(
    ("first", "second", "because", "certain"),
    [
        ({"subscription": "sub_1"}, {"subscription": "sub_2"}, "other_subscription", False),
        (
            {"subscription": "sub_1"},
            {"subscription": "sub_2", "created": NOW + timedelta(hours=2)},
            "other_subscription",
            True,
        ),
        (
            {"subscription": "sub_1"},
            {"subscription": "sub_1", "lines": (line(period_start=NOW + timedelta(days=30)),)},
            "other_period",
            True,
        ),
        ({}, {"lines": (line("Setup"),)}, "other_lines", True),
        (
            {"subscription": "sub_1"},
            {"subscription": "sub_1", "lines": (line("Remaining time on 2 × Seat", proration=True),)},
            "proration",
            True,
        ),
    ],
    ids=str,
)
def test_invoices_explain_their_charges(
    first: dict[str, Any], second: dict[str, Any], because: str, certain: bool
) -> None:
    """Two subscriptions begun in the same minutes are two seats, or one form sent twice: nobody can tell."""
    invoices = (invoice("1", line(), **first), invoice("2", line(), **second))

    assert explained(picture(*paying("in_1", "in_2"), invoices=invoices)) == [
        ("ch_first", "ch_second", because, certain)
    ]


def test_instalments_are_explained_and_what_is_overpaid_is_not() -> None:
    invoices = (invoice("1", line("Annual plan", 9800)),)
    third = charge("third", minutes=6, invoice="in_1")
    seen = picture(third, *paying("in_1", "in_1"), invoices=invoices)

    assert explained(seen) == [("ch_first", "ch_second", "instalment", True)]
    assert found(seen) == [("ch_first", "ch_third")]


def test_two_cards_on_one_order_are_left_to_a_person() -> None:
    """Half and half, or a second try after the page hung."""
    pair = charge("second", minutes=3, order_id="1001", card=MASTERCARD), charge("first", order_id="1001")

    assert explained(picture(*pair)) == [("ch_first", "ch_second", "other_card", False)]


def test_a_payment_that_took_money_is_shown_next_to_the_last_one_that_did() -> None:
    declined = charge("declined", minutes=2, status="failed", captured=usd(0))
    seen = picture(charge("second", minutes=3, description="Storage"), declined, charge("first"))

    assert explained(seen) == [
        ("ch_first", "ch_second", "other_purpose", True),
        ("ch_first", "ch_declined", "failed", True),
    ]


def test_look_alikes_of_last_month_are_told_when_asked_for() -> None:
    month = timedelta(days=30)
    renewal = line(period_start=NOW + month, period_end=NOW + 2 * month)
    invoices = (
        invoice("2", renewal, subscription="sub_1", created=NOW + month),
        invoice("1", line(), subscription="sub_1"),
    )
    charges = charge("second", invoice="in_2", created=NOW + month), charge("first", invoice="in_1")
    seen = picture(*charges, invoices=invoices)

    assert explain_pairs(seen) == ()
    assert ["other_period"] == [pair.because for pair in explain_pairs(seen, within=timedelta(days=35))]


def test_without_a_description_only_a_double_click_is_a_duplicate() -> None:
    first = charge("first", description="")

    assert found(picture(charge("second", minutes=9, description=""), first)) == [("ch_first", "ch_second")]
    assert found(picture(charge("second", minutes=11, description=""), first)) == []


def test_at_the_edge_of_what_was_read_nothing_is_a_finding() -> None:
    """The oldest entries are missing: one of them may have been refunded for the very same."""
    pair = charge("a"), charge("b", minutes=3)
    long_before = charge("old", minutes=-10 * 24 * 60, amount=usd(100))

    cut = replace(picture(*pair), complete=False)

    assert () == find_duplicates(cut)
    assert 1 == len(find_duplicates(replace(cut, complete=True)))
    assert 1 == len(find_duplicates(replace(cut, charges=(*pair, long_before))))


def test_an_invoice_whose_payments_are_not_all_in_sight_is_not_overpaid() -> None:
    paid = tuple(
        Payment(id=f"inpay_{name}", kind="card", amount=usd(4900), status="paid", at=NOW, charge=f"ch_{name}")
        for name in ("x", "a", "b")
    )
    twice = invoice("1", line(), payments=paid, overpaid=usd(4900))
    both = charge("a", invoice="in_1"), charge("b", minutes=3, invoice="in_1")
    long_before = charge("old", minutes=-10 * 24 * 60, amount=usd(100))

    cut = replace(picture(*both, long_before, invoices=(twice,)), complete=False)

    assert () == find_duplicates(cut)
