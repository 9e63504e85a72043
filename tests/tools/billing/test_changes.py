from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.make import NOW, invoice, line, usd
from tools.billing.analysis import explain_change, pair_to_compare
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import Discount, Invoice, InvoiceLine
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

    assert explained(invoice("2", seats(3), discount=usd(0)), before) == [("discount_ended", "Discount", 900)]


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


def test_of_two_currencies_only_that_is_said() -> None:
    euros = replace(invoice("2", seats(3)), total=Money(3600, "eur"))

    assert explained(euros, invoice("1", seats(3))) == [("currency", "USD → EUR", 0)]


def with_discounts(name: str, *discounts: Discount) -> Invoice:
    off = sum(discount.amount.amount for discount in discounts)
    return invoice(name, seats(3), discount=usd(off), discounts=discounts, total=usd(3600 - off))


def test_discounts_are_told_by_name_when_they_start_change_or_end() -> None:
    welcome, loyal = (Discount(amount=usd(900), name=name, coupon=name.upper()) for name in ("Welcome", "Loyal"))
    less = replace(loyal, amount=usd(400))

    assert explained(with_discounts("2"), with_discounts("1", welcome)) == [("discount_ended", "Welcome", 900)]
    assert explained(with_discounts("2", welcome), with_discounts("1")) == [("discount_started", "Welcome", -900)]
    assert explained(with_discounts("2", less), with_discounts("1", welcome, loyal)) == [
        ("discount_ended", "Welcome", 900),
        ("discount", "Loyal", 500),
    ]
    assert explained(with_discounts("2", welcome), with_discounts("1", welcome)) == []


def test_another_tax_rate_is_told_apart_from_more_to_tax() -> None:
    before = invoice("1", seats(3), tax=usd(684), total=usd(4284))
    now = invoice("2", seats(4), tax=usd(960), total=usd(5760))

    assert explained(now, before) == [
        ("quantity", "Team seat: 3 → 4", 1200),
        ("tax", "Tax", 228),
        ("tax_rate", "Tax rate: 19% → 20%", 48),
    ]


def test_tax_that_begins_is_another_rate() -> None:
    now = invoice("2", seats(3), tax=usd(297), total=usd(3897))

    assert explained(now, invoice("1", seats(3))) == [("tax_rate", "Tax rate: 0% → 8.2%", 297)]


def test_rounded_cents_are_no_other_rate() -> None:
    before = invoice("1", seats(1, 999), tax=usd(190), total=usd(1189))
    now = invoice("2", seats(2, 999), tax=usd(379), total=usd(2377))

    assert explained(now, before) == [("quantity", "Team seat: 1 → 2", 999), ("tax", "Tax", 189)]


def test_the_end_of_a_trial_is_told_as_such() -> None:
    trial = line("Trial period for 3 × Team seat (at $12.00 / month)", 0, quantity=3, product="prod_1")

    assert explained(invoice("2", seats(3, product="prod_1")), invoice("1", trial)) == [
        ("trial_ended", "Team seat", 3600)
    ]
    assert explained(invoice("2", seats(3)), invoice("1", replace(trial, product=None))) == [
        ("trial_ended", "Team seat", 3600)
    ]


def test_a_plan_that_was_free_of_charge_was_no_trial() -> None:
    assert explained(invoice("2", seats(3)), invoice("1", seats(3, 0))) == [("price", "Team seat", 3600)]


def test_a_first_period_that_was_not_whole_is_told_by_its_days() -> None:
    part = line(
        "Remaining time on 3 × Team seat (at $12.00 / month) after 13 Nov 2026",
        1200,
        quantity=3,
        proration=True,
        product="prod_1",
        period_end=NOW + timedelta(days=10),
    )
    first = invoice("1", part, reason="subscription_create")

    assert explained(invoice("2", seats(3, product="prod_1")), first) == [("period", "Team seat: 10 → 30 days", 2400)]


def test_a_year_after_months_is_another_period() -> None:
    year = line("1 × Pro (at $490.00 / year)", 49000, product="prod_1", period_end=NOW + timedelta(days=365))

    assert explained(invoice("2", year), invoice("1", line(product="prod_1"))) == [
        ("period", "Pro: 30 → 365 days", 44100)
    ]


def test_february_is_as_long_as_any_month() -> None:
    february = seats(3, 1300, period_end=NOW + timedelta(days=28))
    january = seats(3, period_end=NOW + timedelta(days=31))

    assert explained(invoice("2", february), invoice("1", january)) == [("price", "Team seat", 300)]


def of_month(number: int, *lines: InvoiceLine, **changes: Any) -> Invoice:
    wanted = {"subscription": "sub_1", "created": NOW + number * timedelta(days=30), **changes}
    return invoice(str(number), *lines, **wanted)


FIRST, SECOND, THIRD = (of_month(number, seats(3)) for number in (1, 2, 3))


def test_the_newest_is_compared_with_the_one_before() -> None:
    assert (THIRD, SECOND) == pair_to_compare([SECOND, THIRD, FIRST])
    assert (SECOND, FIRST) == pair_to_compare([SECOND, THIRD, FIRST], SECOND)
    assert pair_to_compare([FIRST]) is None
    assert pair_to_compare([]) is None


def test_other_subscriptions_drafts_and_void_invoices_are_not_compared_with() -> None:
    between = [
        of_month(2, seats(3), subscription="sub_2"),
        of_month(2, seats(3), subscription=None),
        of_month(2, seats(3), status="void"),
        of_month(4, seats(3), status="draft"),
    ]

    assert (THIRD, FIRST) == pair_to_compare([*between, THIRD, FIRST])


def test_a_renewal_is_compared_with_a_renewal() -> None:
    change = of_month(2, line("Remaining time on 4 × Team seat", 400, proration=True), reason="subscription_update")

    assert (THIRD, FIRST) == pair_to_compare([THIRD, change, FIRST])
    assert (change, FIRST) == pair_to_compare([change, FIRST])
    assert (THIRD, change) == pair_to_compare([THIRD, change])


def test_a_first_period_that_was_not_whole_is_compared_with() -> None:
    part = of_month(2, line("Remaining time on 3 × Team seat", 400, proration=True), reason="subscription_create")

    assert (THIRD, part) == pair_to_compare([THIRD, part])


lines = st.builds(
    lambda text, amount, quantity, proration, days: line(
        text, amount, quantity=quantity, proration=proration, period_end=NOW + timedelta(days=days)
    ),
    st.sampled_from(["Pro", "2 × Seat (at $9.00 / month)", "Trial period for 2 × Seat (at $9.00 / month)", "Credit"]),
    st.integers(-5000, 20000) | st.just(0),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from([0, 10, 28, 31, 365]),
)
discounts = st.lists(
    st.builds(
        lambda amount, name: Discount(amount=usd(amount), name=name),
        st.integers(0, 3000),
        st.sampled_from(["A", "B", None]),
    ),
    max_size=3,
)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """Discounts known one by one, or only as a sum; tax on top, or inside the prices."""
    sold, parts = draw(st.lists(lines, max_size=5)), draw(discounts)
    tax, credit = draw(st.tuples(*[st.integers(0, 3000)] * 2))
    on_top, off = draw(st.sampled_from([tax, 0])), sum(part.amount.amount for part in parts)
    total = sum(entry.amount.amount for entry in sold) - off + on_top
    return invoice(
        "x",
        *sold,
        total=usd(total),
        tax=usd(tax),
        discount=usd(off),
        discounts=tuple(draw(st.sampled_from([parts, []]))),
        credit_used=usd(credit),
        reason=draw(st.sampled_from(["subscription_create", "subscription_cycle"])),
    )


@given(invoices(), invoices())
def test_the_differences_add_up_to_the_difference_of_what_had_to_be_paid(now: Invoice, before: Invoice) -> None:
    told = sum(change.difference.amount for change in explain_change(now, before))

    assert (now.payable - before.payable).amount == told


@given(invoices(), invoices())
def test_no_change_is_empty(now: Invoice, before: Invoice) -> None:
    assert all(change.difference for change in explain_change(now, before))


async def test_changes_of_real_invoices_add_up_to_the_cent(billing: StripeBilling, sandbox: Sandbox) -> None:
    """Of every two invoices in a row that any seeded customer has."""
    everybody = sandbox.stripe().v1.customers.list({"limit": 100}).auto_paging_iter()
    compared = 0
    for customer in list(everybody):
        seen = (await billing.picture(customer.id)).invoices
        for current in seen[:20]:
            pair = pair_to_compare(seen, current)
            if pair and current.total.currency == pair[1].total.currency:
                told = sum(change.difference.amount for change in explain_change(*pair))
                assert told == (current.payable - pair[1].payable).amount
                compared += 1
    assert compared >= 20


async def test_an_added_seat_is_told_as_seats_and_prorations(billing: StripeBilling) -> None:
    (alan,) = await billing.find_by_email("alan@example.com")
    pair = pair_to_compare((await billing.picture(alan.id)).invoices)

    assert pair is not None
    assert ["proration", "proration", "quantity"] == sorted(change.kind for change in explain_change(*pair))
    assert ("quantity", "Seat: 3 → 4", 1200) in explained(*pair)
