"""Laws of findings, on whatever a customer's charges may look like."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.billing.make import MASTERCARD, NOW, VISA, charge, invoice, line, picture, usd
from tools.billing.analysis import explain_pairs, find_duplicates
from tools.billing.types import BillingPicture, Charge
from tools.money import Money

INVOICES = (
    invoice("1", line(), subscription="sub_1"),
    invoice("2", line(), subscription="sub_1"),
    invoice("3", line(), subscription="sub_2"),
    invoice("4", line("Annual plan", 9800)),
    invoice("5", line(amount=2000), overpaid=usd(4900)),
)
ODD: tuple[dict[str, Any], ...] = (
    {"status": "failed", "captured": usd(0)},
    {"captured": usd(0)},
    {"captured": usd(100)},
    {"refunded": usd(100)},
    {"disputed": True},
)


@st.composite
def charges(draw: st.DrawFn) -> tuple[Charge, ...]:
    """Few minutes, few things, few invoices: nearly everything looks like everything else."""
    drawn = [
        charge(
            str(number),
            minutes=draw(st.sampled_from([0, 1, 3, 40, 90, 1500, 5000])),
            amount=draw(st.sampled_from([usd(4900), usd(4900), usd(2000), Money(4900, "eur")])),
            card=draw(st.sampled_from([VISA, VISA, MASTERCARD, None])),
            description=draw(st.sampled_from(["", "Pro plan", "Storage"])),
            order_id=draw(st.sampled_from([None, None, "1001", "1002"])),
            invoice=draw(st.sampled_from([None, "in_1", "in_2", "in_3", "in_4", "in_5", "in_unseen"])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]
    return tuple(_in_one_currency(replace(each, **draw(st.sampled_from([{}, {}, {}, *ODD])))) for each in drawn)


def _in_one_currency(made: Charge) -> Charge:
    currency = made.amount.currency
    captured, refunded = (Money(money.amount, currency) for money in (made.captured, made.refunded))
    return replace(made, captured=captured, refunded=refunded)


def seen(*made: Charge) -> BillingPicture:
    return picture(*made, invoices=INVOICES)


@given(charges())
def test_a_finding_keeps_the_earlier_charge_and_nothing_is_found_twice(made: tuple[Charge, ...]) -> None:
    found = find_duplicates(seen(*made))

    laters = [pair.later.id for pair in found]
    assert len(set(laters)) == len(laters)
    assert not set(laters) & {pair.earlier.id for pair in found}
    for pair in found:
        assert (pair.earlier.created, pair.earlier.id) < (pair.later.created, pair.later.id)
        assert pair.later.amount == pair.later.refundable
        assert pair.sign == "overpaid" or pair.earlier.amount == pair.later.amount


@given(charges(), st.randoms())
def test_the_order_of_charges_does_not_matter(made: tuple[Charge, ...], rng: Any) -> None:
    shuffled = list(made)
    rng.shuffle(shuffled)

    assert find_duplicates(seen(*made)) == find_duplicates(seen(*shuffled))
    assert explain_pairs(seen(*made)) == explain_pairs(seen(*shuffled))


@given(charges(), st.sampled_from([*ODD, {"order_id": "1003"}, {"description": "Setup"}, {"invoice": "in_7"}]))
def test_an_explained_charge_changes_no_finding(made: tuple[Charge, ...], explained: dict[str, Any]) -> None:
    extra = charge("extra", minutes=2, **explained)

    assert find_duplicates(seen(*made)) == find_duplicates(seen(*made, extra))


@given(charges())
def test_a_pair_is_never_both_found_and_explained(made: tuple[Charge, ...]) -> None:
    found = {pair.later.id for pair in find_duplicates(seen(*made))}

    for pair in explain_pairs(seen(*made)):
        assert not found & {pair.earlier.id, pair.later.id}
        assert pair.later.created - pair.earlier.created <= timedelta(hours=24)
        assert pair.earlier.amount.decimal == pair.later.amount.decimal


@given(charges())
def test_refunding_what_was_found_leaves_nothing_to_find(made: tuple[Charge, ...]) -> None:
    laters = {pair.later.id for pair in find_duplicates(seen(*made))}
    after = (replace(each, refunded=each.captured) if each.id in laters else each for each in made)

    assert find_duplicates(replace(seen(*after), read_at=NOW)) == ()
