"""What a subscription can be changed to, and what a customer's invoices say."""

from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.books import DETAILS, Books
from tools.billing.powers import HeldDetails, Price
from tools.billing.stripe_billing import StripeBilling
from tools.billing.translate_plans import price_of
from tools.errors import NotFound
from tools.money import Money


@pytest.fixture
def books(sandbox: Sandbox) -> Books:
    sandbox.reset(seed=None)
    return Books(sandbox)


def priced(books: Books, name: str, amount: int, **terms: Any) -> str:
    product = books.v1.products.create({"name": name})
    asked = {"currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}} | terms
    return str(books.v1.prices.create({"product": product.id, **asked}).id)


async def test_what_is_for_sale_is_listed_by_name_and_the_cheapest_first(books: Books, billing: StripeBilling) -> None:
    pro = priced(books, "Pro", 4900)
    product = books.v1.prices.retrieve(pro).product
    quarterly = {"interval": "month", "interval_count": 3}
    quarter = books.v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": 13_000, "recurring": quarterly}
    ).id
    basic = priced(books, "Basic\u202e", 900, recurring={"interval": "year"})

    listed = await billing.prices()

    assert (basic, pro, quarter) == tuple(price.id for price in listed)
    assert listed[0].name == "Basic"
    assert listed[2] == Price(
        id=quarter, product=product, name="Pro", amount=Money(13_000, "usd"), interval="month", interval_count=3
    )


async def test_what_is_not_for_sale_any_more_is_not_listed(books: Books, billing: StripeBilling) -> None:
    once = books.v1.products.create({"name": "Setup"})
    books.v1.prices.create({"product": once.id, "currency": "usd", "unit_amount": 100})
    books.v1.prices.update(priced(books, "Old price", 100), {"active": False})
    gone = books.v1.prices.retrieve(priced(books, "Old product", 100))
    books.v1.products.update(gone.product, {"active": False})

    assert () == await billing.prices()


@pytest.mark.parametrize(
    "odd",
    [
        {"unit_amount": None},
        {"transform_quantity": {"divide_by": 10, "round": "up"}},
        {"recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"}},
        {"product": {"id": "prod_1", "deleted": True}},
        {"product": "prod_1"},
    ],
    ids=str,
)
def test_what_has_no_price_of_one_unit_is_not_offered(odd: dict[str, Any]) -> None:
    """Usage, tiers, packs and fractions of a cent: nobody could say what it will cost."""
    plain: dict[str, Any] = {
        "id": "price_1",
        "currency": "usd",
        "unit_amount": 900,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "product": {"id": "prod_1", "name": "Basic", "active": True},
    }

    assert price_of(plain)
    assert None is price_of(plain | odd)


async def test_more_prices_than_one_page_are_all_read(books: Books, billing: StripeBilling) -> None:
    product = books.v1.products.create({"name": "Pro"})
    terms = {"product": product.id, "currency": "usd", "recurring": {"interval": "month"}}
    for amount in range(100, 201):
        books.v1.prices.create(terms | {"unit_amount": amount})

    assert list(range(100, 201)) == [price.amount.amount for price in await billing.prices()]


async def test_billing_details_are_what_the_next_invoice_would_say(books: Books, billing: StripeBilling) -> None:
    before = await billing.billing_details(books.customer)

    await billing.mover().update_billing_details(
        customer=books.customer, details=DETAILS, action_id="act_1", idempotency_key="1"
    )

    assert HeldDetails(name="Ada", email="ada@example.com", address=None, tax_ids=()) == before
    assert DETAILS.tax_id
    assert await billing.billing_details(books.customer) == HeldDetails(
        name=DETAILS.name, email="ada@example.com", address=DETAILS.address, tax_ids=(DETAILS.tax_id,)
    )


async def test_a_customer_is_read_and_one_who_was_deleted_is_not_there(books: Books, billing: StripeBilling) -> None:
    there = await billing.customer(books.customer)
    books.v1.customers.delete(books.customer)

    assert ("ada@example.com", books.card) == (there.email, there.payment_method)
    with pytest.raises(NotFound):
        await billing.customer(books.customer)
    with pytest.raises(NotFound):
        await billing.billing_details(books.customer)
