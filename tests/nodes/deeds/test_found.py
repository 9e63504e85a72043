"""Whose deed it was, when several had a hand in it."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.case.deeds.deed import idempotency_key
from nodes.case.deeds.table import DEEDS
from tests.nodes.deeds.rows import CANCELLED, ROWS, new_details, resending, undoing
from tests.tools.billing.books import Books
from tools.billing.stripe_billing import StripeBilling
from tools.errors import OutcomeUnknown
from tools.ledger.types import Action
from tools.policy.types import ActionKind

ON_ONE: dict[str, list[ActionKind]] = {
    "invoice": ["payment_plan", "extend_due_date", "resend_invoice"],
    "subscription": ["cancel_subscription", "pause_subscription", "change_subscription"],
}
FIRST_AND_LATER = [(first, later) for kinds in ON_ONE.values() for first in kinds for later in kinds if first != later]


async def send(billing: StripeBilling, wanted: Action) -> str:
    return await DEEDS[wanted.kind].send(billing.mover(), wanted, idempotency_key(wanted))


async def found(billing: StripeBilling, wanted: Action) -> str | None:
    return await DEEDS[wanted.kind].found(billing, wanted)


@pytest.mark.parametrize(("first", "later"), FIRST_AND_LATER)
async def test_a_later_action_of_another_kind_does_not_cover_an_earlier_one(
    billing: StripeBilling, books: Books, first: ActionKind, later: ActionKind
) -> None:
    """Nor does an earlier one pass for it."""
    one = ROWS[first].wanted(books)
    other = replace(ROWS[later].wanted(books), id="act_2")
    made = await send(billing, one)
    before = await found(billing, other)

    await send(billing, other)

    assert before is None
    assert (made, made) == (await found(billing, one), await found(billing, other))


@pytest.mark.parametrize("kind", [kind for kind, row in ROWS.items() if row.undone])
async def test_the_same_done_later_under_another_action_is_that_actions(
    billing: StripeBilling, books: Books, kind: ActionKind
) -> None:
    later = replace(ROWS[kind].wanted(books), id="act_2")

    await send(billing, later)

    assert None is await found(billing, ROWS[kind].wanted(books))


async def test_a_mail_of_somebody_else_is_not_ours_though_our_mark_is_there(
    billing: StripeBilling, books: Books
) -> None:
    """Ours was cut short between the mark and the mail; then a colleague pressed the button."""
    wanted = resending(books)
    books.sandbox.fault(method="POST", path="/send$", kind="reset")
    with pytest.raises(OutcomeUnknown):
        await send(billing, wanted)

    books.v1.invoices.send_invoice(books.owed)

    assert (wanted.id,) == (await billing.invoice(books.owed)).actions
    assert None is await found(billing, wanted)


async def test_a_dated_end_that_was_taken_back_in_half_is_not_found_until_it_is_whole(
    billing: StripeBilling, books: Books
) -> None:
    wanted = replace(undoing(books), id="act_3")
    day = {"cancel_at": int(books.seats.proration_date.timestamp()) + 20 * 86_400}
    books.v1.subscriptions.update(books.plan.id, {"cancel_at_period_end": False})
    books.v1.subscriptions.update(books.plan.id, day)
    # The first of two requests went through, the second did not.
    books.v1.subscriptions.update(
        books.plan.id, {"metadata": {"action_id": wanted.id, "action_id_undo_cancel": wanted.id}}
    )

    halfway = await found(billing, wanted)
    made = await send(billing, wanted)

    assert (None, made) == (halfway, await found(billing, wanted))


async def test_an_end_that_was_planned_anew_is_not_told_as_taken_back(billing: StripeBilling, books: Books) -> None:
    wanted = undoing(books)
    await send(billing, wanted)

    CANCELLED(books)

    assert None is await found(billing, wanted)


async def test_details_that_were_cut_short_after_the_tax_id_are_not_found_and_then_made_whole(
    billing: StripeBilling, books: Books
) -> None:
    wanted = new_details(books)
    books.sandbox.fault(method="POST", path="/customers/[^/]+$", kind="reset")
    with pytest.raises(OutcomeUnknown):
        await send(billing, wanted)

    halfway = await found(billing, wanted)
    made = await send(billing, wanted)

    held: list[Any] = books.v1.customers.tax_ids.list(books.customer).data
    assert (None, made, 1) == (halfway, await found(billing, wanted), len(held))


async def test_of_a_customer_who_is_gone_nothing_is_found(billing: StripeBilling, books: Books) -> None:
    wanted = new_details(books)
    await send(billing, wanted)

    books.v1.customers.delete(books.customer)

    assert None is await found(billing, wanted)
