"""What a yes rests on, where it takes more than one step to change."""

import json

from nodes.case.deeds.table import DEEDS
from tests.nodes.deeds.rows import action, credit_note, new_details, refund, usd
from tests.tools.billing.books import Books
from tools.billing.stripe_billing import StripeBilling
from tools.ledger.types import Action
from tools.money import Money


async def facts(billing: StripeBilling, wanted: Action) -> dict[str, object]:
    return await DEEDS[wanted.kind].evidence(billing, wanted.target, wanted.details)


def paid(books: Books) -> str:
    """The invoice, paid by card; its charge."""
    books.v1.invoices.pay(books.owed, {"payment_method": books.card})
    held = books.v1.charges.list({"customer": books.customer}).data[0]
    return str(held.id)


async def test_a_dispute_that_goes_on_is_another_fact_each_time(billing: StripeBilling, books: Books) -> None:
    """`disputed` alone says the same all along, even when it was lost."""
    wanted, seen = refund(books), []
    opened = books.sandbox.open_dispute(books.charge)
    for status in ("needs_response", "under_review", "lost"):
        books.sandbox.post("disputes", dispute=opened["id"], status=status)
        seen.append(await facts(billing, wanted))

    assert [True] * 3 == [each["disputed"] for each in seen]
    assert 3 == len({json.dumps(each) for each in seen})


async def test_what_was_given_back_or_contested_since_voids_a_credit_note(billing: StripeBilling, books: Books) -> None:
    charge = paid(books)
    wanted = credit_note(books, "paid")
    seen = [await facts(billing, wanted)]

    books.v1.refunds.create({"charge": charge, "amount": 500})
    seen.append(await facts(billing, wanted))
    books.sandbox.open_dispute(charge)
    seen.append(await facts(billing, wanted))

    assert 3 == len({json.dumps(each) for each in seen})


async def test_a_credit_note_on_a_paid_invoice_goes_to_the_balance_as_a_whole(
    billing: StripeBilling, books: Books
) -> None:
    paid(books)
    wanted = credit_note(books, "paid")

    made = await DEEDS["credit_note"].send(billing.mover(), wanted, "note:1")

    (note,) = await billing.credit_notes(books.customer)
    balance = (await billing.customer(books.customer)).balance
    assert (made, Money(1000, "usd"), "Sorry", ()) == (note.id, note.amount, note.memo, note.refunds)
    assert Money(-1000, "usd") == balance


async def test_a_credit_note_on_an_open_invoice_lowers_what_remains(billing: StripeBilling, books: Books) -> None:
    wanted = credit_note(books)

    await DEEDS["credit_note"].send(billing.mover(), wanted, "note:1")

    assert Money(119_000, "usd") == (await billing.invoice(books.owed)).remaining
    assert Money(0, "usd") == ((await billing.customer(books.customer)).balance or Money(0, "usd"))


async def test_an_address_is_no_part_of_the_evidence_and_yet_held_fast(billing: StripeBilling, books: Books) -> None:
    books.v1.customers.update(books.customer, {"address": {"line1": "7 Secret Row", "country": "IE"}})
    books.v1.customers.tax_ids.create(books.customer, {"type": "eu_vat", "value": "IE7654321X"})

    held = json.dumps(await facts(billing, new_details(books)))

    assert "Secret" not in held
    assert "IE7654321X" not in held


async def test_only_what_is_replaced_is_held_fast(billing: StripeBilling, books: Books) -> None:
    wanted = action("change_billing_details", books, books.customer, usd(0), changes={"email": "g@example.com"})

    assert {"customer": books.customer, "email": "ada@example.com"} == await facts(billing, wanted)
