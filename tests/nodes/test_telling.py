"""What customers are told of their charges: nothing untrue, and nothing left out that they would act on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from nodes.resolving.charges import charged_after_cancel, duplicate_charge, explain_charge, refund_request
from nodes.resolving.matter import Matter, Resolution
from nodes.resolving.standing import refund_status
from tests.tools.billing.make import MASTERCARD, NOW, charge, dispute, invoice, line, picture, subscription, usd
from tools.billing.types import BillingPicture, Charge, Refund, RefundStatus

DAY = timedelta(days=1)


def matter(seen: BillingPicture, **details: Any) -> Matter:
    return Matter(goal="x", picture=seen, details=details, passages=(), now=NOW)


def refund(of: Charge, status: RefundStatus = "succeeded", **changes: Any) -> Refund:
    base = Refund(id="re_1", charge=of.id, amount=of.amount, status=status, reason=None, created=NOW, action_id=None)
    return replace(base, **changes)


def proposed(resolution: Resolution) -> tuple[str, str] | None:
    request = resolution.proposal.request if resolution.proposal else None
    return (request.target, request.ground) if request else None


@pytest.mark.parametrize(
    ("status", "told"), [("succeeded", "went back to you already"), ("pending", "is on its way to you already")]
)
def test_what_was_refunded_already_is_said_before_another_charge_is_offered(status: RefundStatus, told: str) -> None:
    """Who asked for the onboarding, refunded two days before, was offered the plan bought before it."""
    plan = charge("plan", minutes=-60)
    onboarding = charge("onboarding", amount=usd(30_000), refunded=usd(30_000), invoice="in_1", invoice_number="CF-1")
    bills = (invoice("1", line("Onboarding session", 30_000)),)
    seen = replace(picture(onboarding, plan, invoices=bills), refunds=(refund(onboarding, status),))

    found = refund_request(matter(seen))

    assert "$300.00 from November 23, 2026 (Onboarding session, invoice CF-1)" in found.draft.text
    assert told in found.draft.text
    assert (found.proposal, found.asked) == (None, "which_charge")
    assert proposed(refund_request(matter(seen, ordinal=1))) == ("ch_plan", "within_window")


def test_an_older_refund_stands_in_the_way_of_nothing() -> None:
    seen = picture(charge("new"), charge("old", minutes=-60, refunded=usd(4900)))

    assert proposed(refund_request(matter(seen))) == ("ch_new", "within_window")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("needs_response", "is disputed at the bank"),
        ("warning_needs_response", "only a colleague can refund it"),
        ("lost", "the bank decided for you"),
    ],
)
def test_a_charge_that_the_bank_asks_about_is_not_passed_over_in_silence(status: str, told: str) -> None:
    contested = charge("a", disputed=True, disputes=(dispute(status),))

    found = refund_request(matter(picture(contested, charge("b", minutes=-60))))

    assert told in found.draft.text
    assert found.proposal is None


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("under_review", "only the bank can decide about it now"),
        ("warning_needs_response", "No money has moved"),
        ("lost", "the bank decided for you"),
        ("won", "the bank decided that the payment stands"),
    ],
)
def test_a_charge_is_explained_by_how_its_dispute_stands(status: str, told: str) -> None:
    contested = charge("a", disputed=True, disputes=(dispute(status, refundable=status == "won"),))

    assert told in explain_charge(matter(picture(contested))).draft.text


def test_a_dispute_that_we_won_is_no_reason_against_a_refund() -> None:
    won = charge("a", disputed=True, disputes=(dispute("won", refundable=True),))

    found = refund_request(matter(picture(won)))

    assert found.proposal is not None
    assert not found.proposal.request.disputed


def test_a_refund_that_failed_is_not_sent_to_the_same_card_again() -> None:
    paid = charge("a")
    seen = replace(picture(paid), refunds=(refund(paid, "failed", reference="5126"),))

    found = refund_request(matter(seen))

    assert (found.proposal, found.asked) == (None, "handover")
    assert "did not reach you" in found.draft.text
    assert "did not reach you" in explain_charge(matter(seen)).draft.text
    assert "5126" not in refund_status(matter(seen)).draft.text


def test_a_refund_says_what_it_is_for() -> None:
    paid = charge("a", refunded=usd(4900))
    seen = replace(picture(paid), refunds=(refund(paid, reference="1234567"),))

    said = refund_status(matter(seen)).draft.text

    assert "for the charge of $49.00 from November 23, 2026" in said
    assert "bank reference 1234567" in said


def overpaid() -> BillingPicture:
    """Half of the invoice first, then all of it: Stripe puts the half on the credit balance."""
    bill = invoice("1", line("Onboarding", 24_000), overpaid=usd(12_000))
    parts = [
        charge(name, amount=usd(amount), invoice="in_1", invoice_number="CF-1", minutes=minutes)
        for name, amount, minutes in (("all", 24_000, 60), ("half", 12_000, 0))
    ]
    return picture(*parts, invoices=(bill,), balance=usd(-12_000))


def test_what_was_paid_too_much_and_is_credit_now_is_not_given_back_twice() -> None:
    found = refund_request(matter(overpaid(), amount=12_000, currency="usd"))

    assert (found.proposal, found.asked) == (None, "handover")
    assert "For invoice CF-1, $120.00 more came in than it asked for" in found.draft.text


def test_who_paid_too_much_is_not_told_that_all_is_well() -> None:
    found = duplicate_charge(matter(overpaid()))

    assert "each one belongs to its own invoice" not in found.draft.text
    assert "$120.00 more came in" in found.draft.text
    assert "$120.00 more than that invoice asked for" in explain_charge(matter(overpaid())).draft.text


def test_an_invoice_that_was_paid_by_bank_transfer_is_refunded_by_a_person() -> None:
    seen = picture(invoices=(invoice("1", line(), off_stripe=usd(4900)),))

    found = refund_request(matter(seen))

    assert found.asked == "handover"
    assert "Invoice CF-1 of November 23, 2026 was paid outside our card system" in found.draft.text


def test_without_a_charge_the_invoices_say_how_they_were_paid() -> None:
    seen = picture(invoices=(invoice("1", line(), credit_used=usd(4900)),))

    assert "paid ($49.00 of it from your credit)" in explain_charge(matter(seen)).draft.text


def test_a_payment_made_twice_is_named_so_when_it_is_explained() -> None:
    seen = picture(charge("second", minutes=3), charge("first"))

    assert "It looks like a second payment" in explain_charge(matter(seen)).draft.text


def test_a_retry_is_explained_by_the_attempt_that_failed() -> None:
    """It was compared with the renewal of the month before, although the bank shows the declined one right above it."""
    bills = tuple(
        invoice(name, line(period_start=at, period_end=at + 30 * DAY), subscription="sub_1", created=at)
        for name, at in (("2", NOW), ("1", NOW - 30 * DAY))
    )
    paid = charge("paid", created=NOW + 3 * DAY, invoice="in_2", payment_intent="pi_2", card=MASTERCARD)
    tried = charge("tried", invoice="in_2", payment_intent="pi_2", status="failed", captured=usd(0))
    before = charge("before", created=NOW - 30 * DAY, invoice="in_1")

    said = duplicate_charge(matter(picture(paid, tried, before, invoices=bills))).draft.text

    assert "on November 23, 2026 was declined" in said
    assert "only the one on November 26, 2026 was paid" in said


def test_two_charges_of_one_day_are_said_to_be_of_one_day() -> None:
    bills = (invoice("2", line("Storage")), invoice("1", line("Training")))
    pair = charge("2", minutes=60, invoice="in_2"), charge("1", invoice="in_1")

    said = duplicate_charge(matter(picture(*pair, invoices=bills))).draft.text

    assert "The charges of $49.00 on November 23, 2026 are for different things." in said


def test_more_charges_than_were_read_are_not_said_to_have_been_compared() -> None:
    seen = replace(picture(charge("a")), complete=False)

    assert "I compared the latest charges" in duplicate_charge(matter(seen)).draft.text


def test_a_list_of_charges_says_what_each_is_for_and_what_became_of_it() -> None:
    long = "and more storage, " * 20
    bills = (invoice("1", line("1 × Team (at $49.00 / month)"), line(long)), invoice("2", line(long)))
    charges = (
        charge("b", invoice="in_1", invoice_number="CF-1", status="failed", captured=usd(0)),
        charge("c", invoice="in_2", invoice_number="CF-2", minutes=-10),
    )

    said = explain_charge(matter(picture(*charges, invoices=bills))).draft.text

    assert "(Team and 1 more, invoice CF-1), declined, no money taken" in said
    assert "(and more storage, and more storage, and more storage, and m…, invoice CF-2)" in said


def cancelled(**changes: Any) -> BillingPicture:
    """A subscription that ended, and a bill for time after it."""
    over = {"status": "canceled", "period_start": NOW - 30 * DAY, "period_end": NOW, "ended_at": NOW - 17 * DAY}
    bill = invoice("1", line(), subscription="sub_1")
    return picture(charge("late", invoice="in_1"), invoices=(bill,), subscriptions=(subscription(**over | changes),))


def test_a_charge_for_time_after_the_end_is_proposed_as_what_it_is() -> None:
    found = charged_after_cancel(matter(cancelled()))

    assert proposed(found) == ("ch_late", "charged_after_cancel")
    assert "Your Team plan ended on November 6, 2026, and $49.00 was charged for it on November 23, 2026" in (
        found.draft.text
    )


@pytest.mark.parametrize("ended", [None, NOW + DAY], ids=["never", "later"])
def test_a_charge_for_time_before_the_end_is_left_to_a_person(ended: Any) -> None:
    found = charged_after_cancel(matter(cancelled(ended_at=ended)))

    assert (found.proposal, found.asked) == (None, "handover")
