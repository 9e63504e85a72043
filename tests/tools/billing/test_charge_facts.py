from datetime import timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.make import NOW, charge, invoice, line, picture, usd
from tools.billing.analysis import ChargeExplanation, explain_charge
from tools.billing.charge_facts import Instalment
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import Charge, Discount, Invoice
from tools.money import Money

MONTH = timedelta(days=30)


def explained(made: Charge, *invoices: Invoice, others: tuple[Charge, ...] = ()) -> ChargeExplanation:
    return explain_charge(picture(made, *others, invoices=invoices), made)


PAID = charge("a", invoice="in_1")


@pytest.mark.parametrize(
    ("reason", "occasion"),
    [
        ("subscription_create", "first"),
        ("subscription_cycle", "renewal"),
        ("subscription_update", "change"),
        ("manual", "one_off"),
        ("made_up_tomorrow", "first"),
        (None, "first"),
    ],
)
def test_the_invoice_says_why_now(reason: str | None, occasion: str) -> None:
    assert occasion == explained(PAID, invoice("1", line(), subscription="sub_1", reason=reason)).occasion


def test_without_a_reason_the_lines_and_what_came_before_tell() -> None:
    earlier = invoice("0", line(), subscription="sub_1", created=NOW - MONTH)
    proration = line("Remaining time on 2 × Seat", proration=True)

    assert "renewal" == explained(PAID, invoice("1", line(), subscription="sub_1"), earlier).occasion
    assert "change" == explained(PAID, invoice("1", proration, subscription="sub_1"), earlier).occasion
    assert "one_off" == explained(PAID, invoice("1", line())).occasion


def test_the_first_charge_after_a_trial_is_told_as_such() -> None:
    trial = invoice("0", line("Trial period for 1 × Pro", 0), subscription="sub_1", created=NOW - MONTH)
    renewal = invoice("1", line(), subscription="sub_1", reason="subscription_cycle")
    third = invoice("2", line(), subscription="sub_1", reason="subscription_cycle", created=NOW + MONTH)

    assert "trial_ended" == explained(PAID, renewal, trial).occasion
    assert "renewal" == explained(charge("b", invoice="in_2"), third, renewal, trial).occasion


def test_a_charge_outside_invoices_is_what_it_says_itself() -> None:
    facts = explained(charge("a", description="Workshop", order_id="1001"))

    assert ("one_off", None, (), "Workshop", "1001") == (
        facts.occasion,
        facts.invoice,
        facts.lines,
        facts.charge.description,
        facts.charge.order_id,
    )


def test_a_charge_whose_invoice_cannot_be_seen_is_not_guessed_at() -> None:
    assert "unknown" == explained(PAID).occasion


@pytest.mark.parametrize(
    ("changes", "state", "left"),
    [
        ({}, "paid", 4900),
        ({"refunded": usd(900)}, "partly_refunded", 4000),
        ({"refunded": usd(4900)}, "refunded", 0),
        ({"disputed": True}, "disputed", 0),
        ({"status": "failed", "captured": usd(0), "failure": "insufficient_funds"}, "failed", 0),
        ({"status": "pending"}, "pending", 0),
        ({"captured": usd(0)}, "authorised", 0),
        ({"captured": usd(0), "refunded": usd(4900)}, "released", 0),
    ],
    ids=str,
)
def test_what_became_of_it(changes: dict[str, Any], state: str, left: int) -> None:
    facts = explained(charge("a", **changes))

    assert (state, usd(left)) == (facts.state, facts.refundable)


def test_a_retry_names_the_attempts_that_failed() -> None:
    failed = [
        charge("f1", minutes=-90, status="failed", payment_intent="pi_a"),
        charge("f2", minutes=-50, status="failed", invoice="in_1"),
    ]
    later = charge("f3", minutes=5, status="failed", payment_intent="pi_a")
    unrelated = charge("f4", minutes=-5, status="failed")

    facts = explained(PAID, invoice("1", line()), others=(*failed, later, unrelated))

    assert tuple(each.created for each in failed) == facts.failed_before


def test_an_instalment_knows_its_place() -> None:
    parts = [charge(f"p{n}", minutes=n, amount=usd(3000), invoice="in_1") for n in range(3)]
    failed = charge("f", minutes=1, amount=usd(3000), invoice="in_1", status="failed")
    bill = invoice("1", line("Annual plan", 9000))

    facts = [explained(part, bill, others=(*(p for p in parts if p is not part), failed)) for part in parts]

    assert [Instalment(place=n, so_far=3, whole=usd(9000)) for n in (1, 2, 3)] == [each.instalment for each in facts]
    assert explained(PAID, invoice("1", line())).instalment is None


def test_tax_discount_and_credit_are_told() -> None:
    discount = Discount(amount=usd(1000), name="Welcome", coupon="WELCOME")
    bill = invoice(
        "1",
        line(amount=6000),
        total=usd(6000),
        tax=usd(1000),
        discounts=(discount,),
        credit_used=usd(1100),
        reason="manual",
    )

    facts = explained(PAID, bill)

    assert (usd(817), (discount,), usd(1100)) == (facts.tax, facts.discounts, facts.credit_used)


def test_a_discount_without_a_name_is_told_by_its_sum() -> None:
    assert (Discount(amount=usd(500)),) == explained(PAID, invoice("1", line(), discount=usd(500))).discounts
    assert () == explained(PAID, invoice("1", line(), discount=usd(0))).discounts


def test_another_currency_than_usual_is_told_and_no_rate() -> None:
    euros = charge("a", amount=Money(4900, "eur"))

    assert "usd" == explained(euros, others=(charge("b"), charge("c"))).usual_currency
    assert explained(euros).usual_currency is None
    assert explained(charge("b"), others=(euros, charge("c"))).usual_currency is None


@given(
    st.permutations([charge(str(n), amount=Money(4900, code)) for n, code in enumerate(["usd", "eur", "gbp", "chf"])])
)
def test_the_usual_currency_does_not_depend_on_the_order(charges: list[Charge]) -> None:
    made = charge("x", amount=Money(100, "jpy"))

    assert "usd" == explained(made, others=tuple(charges)).usual_currency


async def facts_of(billing: StripeBilling, email: str) -> list[ChargeExplanation]:
    (customer,) = await billing.find_by_email(email)
    seen = await billing.picture(customer.id)
    return [explain_charge(seen, made) for made in seen.charges]


async def test_real_charges_are_explained(billing: StripeBilling) -> None:
    grace, ada = await facts_of(billing, "grace@example.com"), await facts_of(billing, "ada@example.com")
    margaret, dorothy = await facts_of(billing, "margaret@example.com"), await facts_of(billing, "dorothy@example.com")

    assert [("first", "paid", "Business")] == [
        (each.occasion, each.state, each.subscription and each.subscription.plan) for each in grace
    ]
    assert ["one_off", *["renewal"] * 5, "first"] == [each.occasion for each in ada]
    assert [Money(2000, "eur")] == [each.tax for each in margaret]
    assert [("one_off", "partly_refunded", Money(4000, "usd"))] == [
        (each.occasion, each.state, each.refundable) for each in dorothy
    ]
    assert {"COUNTERFOIL DEMO"} == {each.charge.statement for each in (*grace, *ada)}


async def test_a_declined_renewal_and_its_retry_are_told(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    client = sandbox.stripe()
    (bill,) = (await billing.picture(linus.id)).invoices

    def give(token: str) -> None:
        method = client.v1.payment_methods.attach(token, {"customer": linus.id})
        client.v1.customers.update(linus.id, {"invoice_settings": {"default_payment_method": method.id}})

    give("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(bill.id)
    sandbox.advance(3600)
    give("pm_card_visa")
    client.v1.invoices.pay(bill.id)

    paid, failed = await facts_of(billing, "linus@example.com")

    assert ("failed", "declined") == (failed.state, failed.charge.failure)
    assert ("paid", "first", (failed.charge.created,)) == (paid.state, paid.occasion, paid.failed_before)
    assert paid.instalment is None
