"""Credit notes, over HTTP: what an open invoice is lowered by, and how paid money comes back with its tax."""

from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tools.billing.mover import StripeMover
from tools.billing.powers import CreditLine
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import CreditNote, Customer, Invoice
from tools.errors import BillingRefused, OutcomeUnknown
from tools.money import Money

TEN = Money(1000, "usd")


@pytest.fixture
def mover(billing: StripeBilling) -> StripeMover:
    return billing.mover()


async def invoice_of(billing: StripeBilling, email: str) -> tuple[Customer, Invoice]:
    (customer,) = await billing.find_by_email(email)
    return customer, (await billing.picture(customer.id)).invoices[0]


async def credited(mover: StripeMover, invoice: Invoice, **changes: Any) -> CreditNote:
    asked: dict[str, Any] = {
        "amount": TEN,
        "reason": "order_change",
        "memo": "Fewer seats",
        "action_id": "act_1",
        "idempotency_key": "note:act_1",
    }
    return await mover.credit_note(invoice=invoice.id, **asked | changes)


async def test_a_note_lowers_what_remains_of_an_open_invoice(billing: StripeBilling, mover: StripeMover) -> None:
    linus, owed = await invoice_of(billing, "linus@example.com")

    note = await credited(mover, owed)

    after = await billing.invoice(owed.id)
    assert (owed.remaining - TEN, TEN) == (after.remaining, after.credited)
    assert (note.amount, note.reason, note.memo, note.action_id) == (TEN, "order_change", "Fewer seats", "act_1")
    assert (note,) == await billing.credit_notes(linus.id)


async def test_a_note_on_a_paid_invoice_gives_money_back(billing: StripeBilling, mover: StripeMover) -> None:
    grace, paid = await invoice_of(billing, "grace@example.com")

    note = await credited(mover, paid, refund_amount=TEN)

    picture = await billing.picture(grace.id)
    (refund,) = picture.refunds
    assert (note.refunds, picture.credit_notes) == ((refund.id,), (note,))
    assert (refund.amount, picture.invoices[0].credited) == (TEN, TEN)
    assert picture.charges[0].refunded == TEN


async def test_a_note_on_a_paid_invoice_becomes_credit(billing: StripeBilling, mover: StripeMover) -> None:
    grace, paid = await invoice_of(billing, "grace@example.com")

    await credited(mover, paid, credit_amount=TEN)

    entry = (await billing.credit_entries(grace.id))[0]
    assert (entry.kind, entry.amount, entry.balance) == ("credit_note", Money(-1000, "usd"), Money(-1000, "usd"))


async def test_a_note_by_line_names_the_line(billing: StripeBilling, mover: StripeMover) -> None:
    _, owed = await invoice_of(billing, "linus@example.com")
    line = owed.lines[0]
    assert line.id is not None

    note = await credited(mover, owed, amount=None, lines=(CreditLine(line=line.id, amount=TEN),))

    assert note.amount == TEN


@pytest.mark.parametrize("changes", [{"amount": None}, {"lines": (CreditLine(line="il_1", amount=TEN),)}], ids=str)
async def test_a_note_is_for_an_amount_or_for_lines(
    billing: StripeBilling, mover: StripeMover, changes: dict[str, Any]
) -> None:
    _, owed = await invoice_of(billing, "linus@example.com")

    with pytest.raises(BillingRefused) as raised:
        await credited(mover, owed, **changes)

    assert raised.value.reason == "amount_or_lines"


async def test_a_note_beyond_its_invoice_is_refused(billing: StripeBilling, mover: StripeMover) -> None:
    linus, owed = await invoice_of(billing, "linus@example.com")

    with pytest.raises(BillingRefused) as raised:
        await credited(mover, owed, amount=owed.total + TEN)

    assert raised.value.reason == "invalid_amount"
    assert await billing.credit_notes(linus.id) == ()


async def test_a_note_that_went_unanswered_is_found_by_its_action(
    billing: StripeBilling, mover: StripeMover, sandbox: Sandbox
) -> None:
    linus, owed = await invoice_of(billing, "linus@example.com")
    sandbox.fault(method="POST", path="/v1/credit_notes", kind="reset_after_commit", count=1)
    sandbox.fault(method="POST", path="/v1/credit_notes", kind="reset", count=2)

    with pytest.raises(OutcomeUnknown):
        await credited(mover, owed)

    (note,) = await billing.credit_notes(linus.id)
    assert note.action_id == "act_1"
    assert note == await credited(mover, owed)


async def test_no_sign_of_a_note_costs_no_request(sent: list[str], billing: StripeBilling) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")

    await billing.picture(grace.id)

    assert "GET /v1/credit_notes" not in sent
