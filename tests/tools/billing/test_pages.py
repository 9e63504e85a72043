from tests.fixtures.sandbox import Sandbox
from tools.billing.pages import Listing, everything
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling

RETRY = Retry(attempts=1)


async def test_a_list_is_read_to_its_bound_newest_first(billing: StripeBilling, sandbox: Sandbox) -> None:
    (annie,) = await billing.find_by_email("annie@example.com")
    invoices = sandbox.stripe().v1.invoices

    found = await everything(RETRY, invoices.list_async, {"customer": annie.id}, most=107)

    assert [i["lines"]["data"][0]["description"] for i in found.entries] == [
        f"Usage, week {week}" for week in range(120, 13, -1)
    ]
    assert not found.complete


async def test_an_empty_list_is_empty(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    charges = sandbox.stripe().v1.charges

    assert await everything(RETRY, charges.list_async, {"customer": linus.id}) == Listing([], complete=True)


async def test_more_lines_than_come_with_an_invoice_are_all_read(billing: StripeBilling, sandbox: Sandbox) -> None:
    """An invoice brings at most ten of its lines along."""
    (tim,) = await billing.find_by_email("tim@example.com")
    client = sandbox.stripe()
    draft = await client.v1.invoices.create_async({"customer": tim.id, "currency": "usd"})
    for number in range(13):
        await client.v1.invoice_items.create_async(
            {"customer": tim.id, "invoice": draft.id, "amount": 100 + number, "currency": "usd"}
        )

    invoice = await billing.invoice(draft.id)

    assert sorted(line.amount.amount for line in invoice.lines) == list(range(100, 113))
    assert invoice in (await billing.picture(tim.id)).invoices
