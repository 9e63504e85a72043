"""A part of an open invoice, charged on its day."""

import pytest

from nodes.case.deeds.deed import idempotency_key
from nodes.case.deeds.instalments import InstalmentDeed
from tests.nodes.deeds.rows import instalment, invoice
from tests.tools.billing.books import ACTION, Books
from tools.billing.stripe_billing import StripeBilling
from tools.errors import BillingRefused, BillingUnavailable


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("card_declined", "declined"),
        ("insufficient_funds", "insufficient_funds"),
        ("expired_card", "expired_card"),
        ("authentication_required", "authentication_required"),
    ],
)
async def test_a_declined_card_says_why_and_is_not_found(
    billing: StripeBilling, books: Books, code: str, reason: str
) -> None:
    wanted = instalment(books)
    books.sandbox.fault(method="POST", path="/confirm$", kind="decline", code=code)

    with pytest.raises(BillingRefused) as raised:
        await InstalmentDeed().send(billing.mover(), wanted, idempotency_key(wanted))

    assert reason == raised.value.reason
    assert None is await InstalmentDeed().found(billing, wanted)
    assert 0 == invoice(books).amount_paid


async def test_without_a_card_nothing_is_sent(billing: StripeBilling, books: Books) -> None:
    with pytest.raises(BillingRefused) as raised:
        await InstalmentDeed().send(billing.mover(), instalment(books, payment_method=None), "key")

    assert "no_payment_method" == raised.value.reason
    assert () == await billing.instalments(books.customer)


async def test_one_that_was_begun_and_not_charged_is_not_found(billing: StripeBilling, books: Books) -> None:
    wanted = instalment(books)
    books.begin_instalment()

    assert [ACTION] == [each.action_id for each in await billing.instalments(books.customer)]
    assert None is await InstalmentDeed().found(billing, wanted)


async def test_one_under_way_is_neither_found_nor_missed(billing: StripeBilling, books: Books) -> None:
    """Held on the card and not taken yet: the answer may still be yes."""
    wanted = instalment(books)
    books.v1.payment_intents.create(
        {
            "amount": 40_000,
            "currency": "usd",
            "customer": books.customer,
            "payment_method": books.card,
            "capture_method": "manual",
            "confirm": True,
            "off_session": True,
            "metadata": {"action_id": ACTION, "invoice": books.owed},
        }
    )

    with pytest.raises(BillingUnavailable):
        await InstalmentDeed().found(billing, wanted)
