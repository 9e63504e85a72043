from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tools.billing.make import NOW, charge, dispute, invoice, line, usd
from tools.billing.analysis import allocate, tax_part
from tools.billing.types import Charge, Dispute
from tools.errors import Unprocessable
from tools.money import Money

BILL = invoice("1", line("Annual plan", 10000), tax=usd(1597))


WON, LOST = dispute("won", refundable=True), dispute("lost", refundable=False)
OPEN, INQUIRY = dispute("needs_response", refundable=False), dispute("warning_needs_response", refundable=True)


@pytest.mark.parametrize(
    ("disputes", "left"),
    [((), 0), ((WON,), 4900), ((OPEN,), 0), ((LOST,), 0), ((INQUIRY,), 0), ((WON, OPEN), 0)],
)
def test_of_a_disputed_charge_only_a_dispute_that_is_over_and_won_leaves_anything(
    disputes: tuple[Dispute, ...], left: int
) -> None:
    assert usd(left) == charge("a", disputed=True, disputes=disputes).refundable


@pytest.mark.parametrize(
    "made",
    [
        charge("a", status="failed"),
        charge("a", status="pending"),
        charge("a", captured=usd(0)),
        charge("a", captured=usd(0), refunded=usd(4900)),
        charge("a", refunded=usd(4900)),
    ],
)
def test_nothing_can_be_given_back_of_what_was_never_taken_or_is_gone(made: Charge) -> None:
    assert usd(0) == made.refundable


def instalments(*amounts: int) -> list[Charge]:
    return [
        charge(str(place), amount=usd(amount), created=NOW + timedelta(days=place), invoice="in_1")
        for place, amount in enumerate(amounts, start=1)
    ]


def test_the_newest_payment_gives_first() -> None:
    assert (("ch_3", usd(4000)), ("ch_2", usd(1000))) == allocate(BILL, usd(5000), instalments(3000, 3000, 4000))


def test_payments_of_other_invoices_give_nothing() -> None:
    other = replace(charge("x", amount=usd(9000)), invoice="in_2")

    assert (("ch_1", usd(3000)),) == allocate(BILL, usd(3000), [other, *instalments(3000)])


def test_a_contested_payment_is_passed_over() -> None:
    first, second = instalments(5000, 5000)

    assert (("ch_1", usd(2000)),) == allocate(BILL, usd(2000), [replace(second, disputed=True), first])


@pytest.mark.parametrize("amount", [usd(10001), usd(0), usd(-1), Money(100, "eur")], ids=str)
def test_what_cannot_be_spread_is_refused(amount: Money) -> None:
    with pytest.raises(Unprocessable):
        allocate(BILL, amount, instalments(5000, 5000))


def test_amounts_that_stripe_does_not_take_are_refused() -> None:
    dinars = invoice("1", replace(line(), amount=Money(10000, "kwd")), total=Money(10000, "kwd"))
    paid = [charge("a", amount=Money(10000, "kwd"), invoice="in_1")]

    assert (("ch_a", Money(5120, "kwd")),) == allocate(dinars, Money(5120, "kwd"), paid)
    with pytest.raises(Unprocessable):
        allocate(dinars, Money(5124, "kwd"), paid)


@given(
    st.lists(st.tuples(st.integers(1, 9000), st.integers(0, 9000), st.booleans()), max_size=6), st.integers(1, 30000)
)
def test_shares_add_up_and_never_exceed_what_is_left(paid: list[tuple[int, int, bool]], amount: int) -> None:
    charges = [
        replace(made, refunded=usd(min(refunded, made.amount.amount)), disputed=disputed)
        for made, (_, refunded, disputed) in zip(instalments(*(each[0] for each in paid)), paid, strict=True)
    ]
    left = {made.id: made.refundable for made in charges}
    if amount > sum(money.amount for money in left.values()):
        with pytest.raises(Unprocessable):
            allocate(BILL, usd(amount), charges)
        return

    shares = allocate(BILL, usd(amount), charges)

    assert amount == sum(share.amount for _, share in shares)
    assert all(usd(0) < share <= left[name] for name, share in shares)
    assert len({name for name, _ in shares}) == len(shares)
    assert shares == allocate(BILL, usd(amount), reversed(charges))


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=6), st.integers(0, 3000))
def test_tax_of_the_parts_adds_up_to_the_tax_of_the_whole(parts: list[int], tax: int) -> None:
    assume(tax <= sum(parts))
    bill = invoice("1", line("Plan", sum(parts)), tax=usd(tax))
    taxes = [tax_part(usd(part), bill, before=usd(sum(parts[:place]))) for place, part in enumerate(parts)]

    assert tax == sum(each.amount for each in taxes)
    assert all(usd(0) <= each <= usd(part) for each, part in zip(taxes, parts, strict=True))


def test_a_third_of_the_price_carries_a_third_of_the_tax() -> None:
    assert usd(532) == tax_part(usd(3333), BILL)
    assert usd(0) == tax_part(usd(0), invoice("1"))
