"""What a colleague may propose: theirs is the choice, Stripe's are the facts."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from nodes.proposing import MAKERS, Wanted, proposal_of
from nodes.resolving.matter import Matter, Proposal, Resolver
from nodes.resolving.plans import extend_due_date, payment_plan
from tests.tools.billing.make import NOW, charge, dispute, invoice, line, picture, subscription, usd
from tests.tools.ledger.builders import an_action
from tools.errors import Conflict, NotFound, Unprocessable
from tools.ledger.types import Action

OPEN = invoice("open", line(amount=9000), status="open", paid=usd(0), remaining=usd(9000), due=NOW, charges=())
PAID = invoice("paid", line(), credited=usd(900), charges=("ch_a",))
DRAFT = invoice("draft", line(), status="draft")
CONTESTED = charge("c", disputed=True, disputes=(dispute("needs_response"),))


def proposed(*actions: Action, **wanted: Any) -> Proposal:
    seen = picture(charge("a"), CONTESTED, invoices=(OPEN, PAID, DRAFT), subscriptions=(subscription(),))
    asked = {"ground": "goodwill", **wanted}
    return proposal_of(
        Wanted(**asked), Matter(goal="", picture=seen, details={}, passages=(), actions=actions, now=NOW)
    )


def test_a_refund_is_of_the_customers_charge_with_stripes_facts() -> None:
    request = proposed(kind="refund", target="ch_a", amount=1000).request
    assert ("goodwill", "cus_1", usd(1000), usd(4900), False, True) == (
        request.ground,
        request.customer,
        request.amount,
        request.refundable,
        request.disputed,
        request.by_staff,
    )
    assert usd(4900) == proposed(kind="refund", target="ch_a").request.amount


@pytest.mark.parametrize(
    ("target", "amount", "refundable", "status"),
    [("in_open", 1000, 9000, "open"), ("in_paid", 1000, 4000, "paid")],
)
def test_credit_is_bounded_by_what_is_left_of_the_invoice(
    target: str, amount: int, refundable: int, status: str
) -> None:
    made = proposed(kind="credit_note", target=target, amount=amount, memo="one seat too many")
    assert (usd(amount), usd(refundable)) == (made.request.amount, made.request.refundable)
    assert {
        "invoice_status": status,
        "memo": "one seat too many",
        "evidence_ids": [target],
    }.items() <= made.details.items()


def test_more_time_says_how_many_days_and_whether_it_was_given_before() -> None:
    later = date(2026, 12, 7)
    first = proposed(kind="extend_due_date", target="in_open", new_due=later).request
    before = an_action(kind="extend_due_date", target="in_open", state="succeeded")
    again = proposed(before, kind="extend_due_date", target="in_open", new_due=later).request
    assert (14, False, usd(9000)) == (first.extension_days, first.extended_before, first.amount)
    assert again.extended_before


def test_a_cancellation_says_until_when_the_plan_runs() -> None:
    made = proposed(kind="cancel_subscription", target="sub_1")
    assert ("Team", usd(4900)) == (made.details["plan"], made.request.amount)


def test_an_invoice_goes_to_the_address_that_stripe_has() -> None:
    assert "ada@example.com" == proposed(kind="resend_invoice", target="in_open").details["email"]


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_not_this_customers_is_not_there(kind: Any) -> None:
    with pytest.raises(NotFound, match="This customer has no such"):
        proposed(kind=kind, target="in_of_somebody_else", new_due=date(2027, 1, 1))


@pytest.mark.parametrize(
    ("wanted", "error", "sentence"),
    [
        ({"kind": "payment_method_link", "target": "cus_1"}, Unprocessable, "cannot propose"),
        ({"kind": "extend_due_date", "target": "in_open"}, Unprocessable, "say until when"),
        ({"kind": "extend_due_date", "target": "in_open", "new_due": date(2026, 11, 23)}, Unprocessable, "later than"),
        (
            {"kind": "extend_due_date", "target": "in_paid", "new_due": date(2027, 1, 1)},
            Conflict,
            "Nothing is left to pay",
        ),
        ({"kind": "credit_note", "target": "in_draft"}, Conflict, "draft, so nothing can be credited"),
        ({"kind": "refund", "target": "ch_c", "amount": 100}, Conflict, "nothing left"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    wanted: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        proposed(**wanted)


def test_a_subscription_that_ends_already_is_not_cancelled_again() -> None:
    seen = picture(subscriptions=(subscription(cancel_at_period_end=True),))
    with pytest.raises(Conflict, match="ends already"):
        proposal_of(
            Wanted(kind="cancel_subscription", target="sub_1", ground="goodwill"),
            Matter(goal="", picture=seen, details={}, passages=(), now=NOW),
        )


@pytest.mark.parametrize("resolve", [payment_plan, extend_due_date])
def test_policy_hears_of_a_dispute_whoever_asks(resolve: Resolver) -> None:
    """Customers' own requests said that nothing was disputed, whatever Stripe said."""
    partly = replace(OPEN, charges=(CONTESTED.id,))
    seen = picture(CONTESTED, invoices=(partly,))

    found = resolve(Matter(goal="", picture=seen, details={}, passages=(), now=NOW))

    assert found.proposal is not None
    assert found.proposal.request.disputed
