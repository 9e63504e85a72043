from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.billing.make import invoice, line, usd
from tools.billing.analysis import explain_change
from tools.billing.types import Invoice
from tools.money import Money


def explained(current: Invoice, previous: Invoice) -> list[tuple[str, str, int]]:
    return [(c.kind, c.description, c.difference.amount) for c in explain_change(current, previous)]


def seats(quantity: int, price: int = 1200, **changes: Any) -> Any:
    text = f"{quantity} × Team seat (at ${price / 100:.2f} / month)"
    return line(text, quantity * price, quantity=quantity, **changes)


def test_equal_invoices_have_nothing_to_explain() -> None:
    assert explain_change(invoice("2", seats(3)), invoice("1", seats(3))) == ()


def test_an_added_seat_is_a_quantity() -> None:
    assert explained(invoice("2", seats(4)), invoice("1", seats(3))) == [("quantity", "Team seat: 3 → 4", 1200)]


def test_a_dearer_seat_is_a_price() -> None:
    assert explained(invoice("2", seats(3, 1500)), invoice("1", seats(3))) == [("price", "Team seat", 900)]


def test_more_and_dearer_seats_are_told_apart() -> None:
    assert explained(invoice("2", seats(4, 1500)), invoice("1", seats(3))) == [
        ("quantity", "Team seat: 3 → 4", 1200),
        ("price", "Team seat", 1200),
    ]


def test_a_renamed_product_is_still_the_same_product() -> None:
    now = invoice("2", line("1 × Pro Max (at $59.00 / month)", 5900, product="prod_1"))
    before = invoice("1", line("1 × Pro (at $49.00 / month)", 4900, product="prod_1"))

    assert explained(now, before) == [("price", "Pro Max", 1000)]


def test_prorations_are_told_one_by_one_and_their_end_too() -> None:
    used = line("Unused time on 3 × Team seat", -1800, proration=True)
    rest = line("Remaining time on 4 × Team seat", 2400, proration=True)
    with_prorations = invoice("2", seats(4), used, rest)

    assert explained(with_prorations, invoice("1", seats(3))) == [
        ("proration", "Remaining time on 4 × Team seat", 2400),
        ("proration", "Unused time on 3 × Team seat", -1800),
        ("quantity", "Team seat: 3 → 4", 1200),
    ]
    assert explained(invoice("3", seats(4)), with_prorations) == [
        ("proration", "Remaining time on 4 × Team seat", -2400),
        ("proration", "Unused time on 3 × Team seat", 1800),
    ]


def test_lines_come_and_go() -> None:
    now = invoice("2", seats(3), line("Extra storage", 500))
    before = invoice("1", seats(3), line("Setup fee", 9900))

    assert explained(now, before) == [
        ("dropped_line", "Setup fee", -9900),
        ("new_line", "Extra storage", 500),
    ]


def test_a_line_in_the_customers_favour_is_a_credit() -> None:
    now = invoice("2", seats(3), line("Credit for the outage", -700))

    assert explained(now, invoice("1", seats(3))) == [("credit", "Credit for the outage", -700)]
    assert explained(invoice("3", seats(3)), now) == [("credit", "Credit for the outage", 700)]


def test_an_ended_discount_is_a_discount() -> None:
    before = invoice("1", seats(3), discount=usd(900), total=usd(2700))

    assert explained(invoice("2", seats(3), discount=usd(0)), before) == [("discount", "Discount", 900)]


def test_tax_on_top_is_tax() -> None:
    before = invoice("1", seats(3), tax=usd(720), total=usd(4320))
    now = invoice("2", seats(4), tax=usd(960), total=usd(5760))

    assert explained(now, before) == [("quantity", "Team seat: 3 → 4", 1200), ("tax", "Tax", 240)]


def test_tax_inside_the_prices_adds_nothing() -> None:
    before, now = invoice("1", seats(3), tax=usd(600)), invoice("2", seats(3), tax=usd(700))

    assert explain_change(now, before) == ()


def test_credit_balance_lowers_what_had_to_be_paid() -> None:
    now = invoice("2", seats(3), credit_used=usd(2000))

    assert explained(now, invoice("1", seats(3))) == [("credit", "Credit balance", -2000)]


def test_two_currencies_are_not_compared() -> None:
    euros = replace(invoice("2", seats(3)), total=Money(3600, "eur"))

    assert explain_change(euros, invoice("1", seats(3))) == ()


lines = st.builds(
    lambda text, amount, quantity, proration: line(text, amount, quantity=quantity, proration=proration),
    st.sampled_from(["Pro", "2 × Seat (at $9.00 / month)", "Storage", "Credit"]),
    st.integers(-5000, 20000),
    st.integers(1, 9),
    st.booleans(),
)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    sold = draw(st.lists(lines, max_size=5))
    tax, discount, credit = draw(st.tuples(*[st.integers(0, 3000)] * 3))
    on_top = draw(st.sampled_from([tax, 0]))
    total = sum(entry.amount.amount for entry in sold) - discount + on_top
    return invoice("x", *sold, total=usd(total), tax=usd(tax), discount=usd(discount), credit_used=usd(credit))


@given(invoices(), invoices())
def test_the_differences_add_up_to_the_difference_of_what_had_to_be_paid(now: Invoice, before: Invoice) -> None:
    told = sum(change.difference.amount for change in explain_change(now, before))

    assert (now.payable - before.payable).amount == told


@given(invoices(), invoices())
def test_no_change_is_empty(now: Invoice, before: Invoice) -> None:
    assert all(change.difference for change in explain_change(now, before))
