"""What is said of plans, credit and invoices as they stand now."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from nodes.resolving.invoices import explain_amount_change, list_invoices
from nodes.resolving.matter import Matter
from nodes.resolving.standing import credit_balance, subscription_status, upcoming_invoice
from nodes.resolving.stopping import cancel_subscription
from tests.tools.billing.make import NOW, charge, credit_note, invoice, line, picture, subscription, usd
from tools.billing.types import BillingPicture, SubscriptionItem

MONTH = timedelta(days=30)
END = NOW + MONTH
NOTE = credit_note(amount=usd(6000))


def matter(seen: BillingPicture) -> Matter:
    return Matter(goal="x", picture=seen, details={}, passages=(), now=NOW)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Team: $49.00 per month, active, current period until December 23, 2026"),
        ({"interval_count": 3}, "Team: $49.00 per 3 months, active"),
        ({"cancel_at_period_end": True}, "cancelled: it stays active until December 23, 2026 and does not renew"),
        ({"cancel_at": NOW}, "cancelled: it stays active until November 23, 2026"),
        ({"status": "trialing"}, "free trial until December 23, 2026, and charged from then on"),
        ({"status": "trialing", "cancel_at_period_end": True}, "nothing is charged after it"),
        ({"status": "past_due"}, "a payment for it is overdue"),
        ({"paused": True}, "paused, so its invoices are not collected"),
        ({"paused": True, "resumes_at": END}, "paused until December 23, 2026"),
        ({"discount": "Framework agreement"}, "$49.00 per month less your discount (Framework agreement)"),
        ({"quantity": 4}, "4 × Team: $49.00 per month"),
    ],
)
def test_a_plan_is_told_as_it_stands(changes: dict[str, Any], told: str) -> None:
    """One that had been cancelled was called active, and a quarterly price one "per month"."""
    assert told in subscription_status(matter(picture(subscriptions=(subscription(**changes),)))).draft.text


def test_the_quantity_of_one_item_is_not_that_of_all() -> None:
    item = SubscriptionItem(id="si", price="price", product="prod", name="Team", unit=usd(1200), quantity=4)
    seen = subscription(plan="Team + Storage", quantity=4, items=(item, replace(item, id="si_2", quantity=1)))

    assert "4 ×" not in subscription_status(matter(picture(subscriptions=(seen,)))).draft.text


def test_a_plan_that_ended_is_told_with_its_day() -> None:
    seen = matter(picture(subscriptions=(subscription(status="canceled", ended_at=NOW),)))

    assert "Your Team plan ended on November 23, 2026." in subscription_status(seen).draft.text
    assert "Your Team plan ended on November 23, 2026." in cancel_subscription(seen).draft.text


def test_a_quarterly_plan_is_cancelled_as_one() -> None:
    proposal = cancel_subscription(matter(picture(subscriptions=(subscription(interval_count=3),)))).proposal

    assert proposal is not None
    assert proposal.details["interval"] == "3 months"


def test_of_two_plans_the_one_that_runs_on_is_not_forgotten() -> None:
    """Asked to cancel, it was said to be cancelled already, since the other one was."""
    seen = picture(subscriptions=(subscription(), subscription(id="sub_2", plan="Storage", cancel_at_period_end=True)))

    proposal = cancel_subscription(matter(seen)).proposal
    assert proposal is not None
    assert proposal.details["plan"] == "Team"


def test_the_next_invoice_comes_with_the_credit_that_it_uses() -> None:
    seen = picture(subscriptions=(subscription(),), balance=usd(-500))

    assert "You have a credit of $5.00" in upcoming_invoice(matter(seen)).draft.text


def test_what_is_owed_on_the_balance_is_no_silence() -> None:
    assert "$5.00 is still owed" in credit_balance(matter(picture(balance=usd(500)))).draft.text


def test_a_credit_note_is_seen_where_credit_and_invoices_are() -> None:
    seen = replace(
        picture(invoices=(invoice("1", line(amount=18_000), credited=usd(6000)),)),
        credit_notes=(NOTE, replace(NOTE, id="cn_2", number="VOID", status="void")),
    )

    credit = credit_balance(matter(seen)).draft.text

    assert "Credit note CF-1-CN-01 of November 23, 2026 took $60.00 off invoice CF-1, and that went back" in credit
    assert "VOID" not in credit
    assert "$180.00, paid ($60.00 of it taken off by a credit note)" in list_invoices(matter(seen)).draft.text


def test_an_invoice_below_nothing_is_credit() -> None:
    seen = picture(invoices=(invoice("1", line(amount=-5362)),))

    assert "-$53.62, paid (it became credit for your next invoices)" in list_invoices(matter(seen)).draft.text


def test_an_invoice_paid_outside_is_said_to_be_so() -> None:
    bill = invoice("1", line(), off_stripe=usd(4900))

    assert "paid (outside our card system" in list_invoices(matter(picture(invoices=(bill,)))).draft.text
    bill = replace(bill, off_stripe=usd(900))
    assert "paid ($9.00 of it outside our card system" in list_invoices(matter(picture(invoices=(bill,)))).draft.text


def renewals() -> tuple[Any, ...]:
    return tuple(
        invoice(name, line(), subscription="sub_1", created=NOW - months * MONTH, reason="subscription_cycle")
        for name, months in (("2", 1), ("1", 2))
    )


def test_a_bill_for_a_change_is_told_besides_the_regular_one() -> None:
    """The add-on of the day of the renewal was said to be "the same as the one before it"."""
    change = invoice("3", line("Remaining time on 1 × Storage", proration=True), subscription="sub_1")

    said = explain_amount_change(matter(picture(invoices=(change, *renewals())))).draft.text

    assert "Your invoice CF-3 of November 23, 2026 over $49.00 is for a change of your plan" in said
    assert "Remaining time on 1 × Storage: $49.00" in said
    assert "Your invoice CF-2 of October 24, 2026 is $49.00, the same as the one before it (CF-1" in said


def test_an_invoice_outside_the_plan_is_not_called_the_only_one() -> None:
    extra = invoice("3", line("Storage", 700))

    said = explain_amount_change(matter(picture(invoices=(extra, *renewals())))).draft.text

    assert "the only one" not in said
    assert "Your invoice CF-3 of November 23, 2026 over $7.00 is no part of your plan" in said
    assert "Your invoice CF-2" in said


def test_the_only_invoice_is_told_with_its_lines_and_tax() -> None:
    only = invoice("1", line("Consulting", 10_000), total=usd(12_000), tax=usd(2000))

    said = explain_amount_change(matter(picture(invoices=(only,)))).draft.text

    assert "• Consulting: $100.00" in said
    assert "It includes $20.00 of tax." in said


def test_a_payment_made_twice_is_part_of_why_a_month_was_dear() -> None:
    seen = picture(charge("second", minutes=3), charge("first"), invoices=renewals())

    assert "Besides, $49.00 was taken on November 23, 2026" in explain_amount_change(matter(seen)).draft.text
