"""What a picture holds and what it costs, over HTTP, of the sandbox's demo customers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.make import charge, dispute, usd
from tools.billing import pages
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.billing.types import BillingPicture
from tools.money import Money


@pytest_asyncio.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    """Patient, and asks once: a busy machine must not add requests."""
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=Retry(attempts=1)) as reader:
        yield reader


async def picture_of(billing: StripeBilling, email: str) -> BillingPicture:
    (customer,) = await billing.find_by_email(email)
    return await billing.picture(customer.id)


def subscribed(sandbox: Sandbox, customer: str) -> stripe.Subscription:
    client = sandbox.stripe().v1
    product = client.products.create({"name": "Archive"})
    price = client.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
    )
    return client.subscriptions.create({"customer": customer, "items": [{"price": price.id, "quantity": 2}]})


async def test_the_picture_of_a_long_history_with_a_plan_takes_six_requests(
    sent: list[str], billing: StripeBilling, sandbox: Sandbox
) -> None:
    (annie,) = await billing.find_by_email("annie@example.com")
    subscribed(sandbox, annie.id)
    sent.clear()

    picture = await billing.picture(annie.id)

    assert (len(picture.invoices), len(picture.charges), picture.subscriptions[0].plan) == (121, 121, "Archive")
    assert sorted(sent) == [
        "GET /v1/charges",
        "GET /v1/charges",
        "GET /v1/invoices",
        "GET /v1/invoices",
        "GET /v1/products",
        "GET /v1/subscriptions",
    ]
    assert picture.complete


async def test_the_first_requests_of_a_picture_wait_for_nobody(
    sent: list[str], billing: StripeBilling, sandbox: Sandbox
) -> None:
    (annie,) = await billing.find_by_email("annie@example.com")
    sandbox.fault(path="/v1/(charges|invoices|subscriptions)$", kind="slow", seconds=0.3, count=3)
    sent.clear()

    await billing.picture(annie.id)

    assert {"GET /v1/charges", "GET /v1/invoices", "GET /v1/subscriptions"} == set(sent[:3])


async def test_whoever_never_had_a_plan_is_asked_for_by_name(sent: list[str], billing: StripeBilling) -> None:
    (ada,) = await billing.find_by_email("linus@example.com")
    sent.clear()

    picture = await billing.picture(ada.id)

    assert picture.customer == ada
    assert len(sent) <= 4


async def test_a_list_that_goes_on_is_said_to_be_cut(billing: StripeBilling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST", 50)

    picture = await picture_of(billing, "annie@example.com")

    assert (len(picture.invoices), picture.complete) == (50, False)


async def test_a_dispute_comes_with_its_charge(billing: StripeBilling, sandbox: Sandbox) -> None:
    picture = await picture_of(billing, "donald@example.com")

    (dispute,), (disputed,) = picture.disputes, picture.charges
    assert disputed.disputes == (dispute,) == await billing.disputes_of(disputed.id)
    assert (dispute.charge, dispute.amount, dispute.is_open) == (disputed.id, disputed.amount, True)
    assert dispute.due_by is not None
    held = sandbox.stripe().v1.disputes.retrieve(dispute.id)
    assert (held.status, held.reason, held.is_charge_refundable) == (dispute.status, dispute.reason, dispute.refundable)


@pytest.mark.parametrize(
    ("status", "refundable"),
    [
        ("warning_needs_response", False),
        ("warning_under_review", False),
        ("warning_closed", True),
        ("needs_response", False),
        ("under_review", False),
        ("won", True),
        ("lost", False),
        ("prevented", True),
    ],
)
async def test_nothing_is_refundable_while_a_dispute_is_open_or_once_it_is_lost(
    billing: StripeBilling, sandbox: Sandbox, status: str, *, refundable: bool
) -> None:
    (before,) = (await picture_of(billing, "old@example.com")).charges
    opened = sandbox.open_dispute(before.id, status="warning_needs_response")
    sandbox.post("disputes", dispute=opened["id"], status=status)

    (after,) = (await picture_of(billing, "old@example.com")).charges

    assert after == await billing.charge(before.id)
    assert after.refundable == (before.refundable if refundable else Money(0, "usd"))


def test_a_dispute_that_was_not_read_forbids_a_refund() -> None:
    assert charge("x", disputed=True).refundable == usd(0)


def test_one_open_dispute_among_several_forbids_a_refund() -> None:
    won = dispute("won", refundable=True, charge="ch_x")
    again = replace(won, id="du_2", status="needs_response", refundable=False)

    assert charge("x", disputed=True, disputes=(won,)).refundable == usd(4900)
    assert charge("x", disputed=True, disputes=(again, won)).refundable == usd(0)


async def test_an_invoice_has_its_payments(billing: StripeBilling) -> None:
    picture = await picture_of(billing, "grace@example.com")

    ((payment,),) = (invoice.payments for invoice in picture.invoices)
    (paid,) = picture.charges
    assert (payment.kind, payment.status, payment.amount) == ("card", "paid", paid.amount)
    assert (payment.charge, payment.payment_intent) == (paid.id, paid.payment_intent)


async def test_what_was_paid_outside_stripe_is_said_to_be(billing: StripeBilling, sandbox: Sandbox) -> None:
    (before,) = (await picture_of(billing, "linus@example.com")).invoices
    sandbox.stripe().v1.invoices.pay(before.id, {"paid_out_of_band": True})

    (outside,) = (await picture_of(billing, "linus@example.com")).invoices

    assert (before.off_stripe, outside.off_stripe) == (Money(0, "usd"), before.remaining)
    assert [(p.kind, p.charge) for p in outside.payments if p.status == "paid"] == [("out_of_band", None)]
    assert outside == await billing.invoice(outside.id)


async def test_an_invoice_paid_in_two_parts_has_two_payments(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    (open_invoice,) = (await billing.picture(linus.id)).invoices
    client = sandbox.stripe().v1
    for amount in (50_000, 70_000):
        intent = client.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "customer": linus.id,
                "payment_method": "pm_card_visa",
                "confirm": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            }
        )
        client.invoices.attach_payment(open_invoice.id, {"payment_intent": intent.id})

    (paid,) = (await billing.picture(linus.id)).invoices

    parts = [(p.amount.amount, p.kind) for p in paid.payments if p.status == "paid"]
    assert sorted(parts) == [(50_000, "card"), (70_000, "card")]
    assert {p.charge for p in paid.payments if p.status == "paid"} == set(paid.charges)
    assert (paid.status, paid.remaining) == ("paid", Money(0, "usd"))


async def test_a_refund_says_how_it_can_be_traced(billing: StripeBilling, sandbox: Sandbox) -> None:
    (old,) = (await picture_of(billing, "dorothy@example.com")).refunds

    assert (old.kind, old.reference is not None) == ("refund", True)


async def test_a_fresh_charge_is_taken_back_as_a_reversal(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    client = sandbox.stripe().v1
    intent = client.payment_intents.create(
        {
            "amount": 3000,
            "currency": "usd",
            "customer": linus.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    client.refunds.create({"payment_intent": intent.id})

    (refund,) = await billing.refunds_of(str(intent.latest_charge))

    assert (refund.kind, refund.reference) == ("reversal", None)


async def test_a_plan_has_its_items(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    made = subscribed(sandbox, linus.id)

    (plan,) = (each for each in (await billing.picture(linus.id)).subscriptions if each.id == made.id)

    (item,) = plan.items
    assert (item.name, item.unit, item.quantity) == ("Archive", Money(900, "usd"), 2)
    assert plan == await billing.subscription(made.id)
    assert (plan.paused, plan.cancel_at, plan.ended_at, plan.trial_end) == (False, None, None, None)


async def test_a_plan_names_the_coupon_it_runs_with(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    made = subscribed(sandbox, linus.id)
    client = sandbox.stripe().v1
    coupon = client.coupons.create({"percent_off": 20, "duration": "forever", "name": "Spring"})
    client.subscriptions.update(made.id, {"discounts": [{"coupon": coupon.id}]})

    (plan,) = (each for each in (await billing.picture(linus.id)).subscriptions if each.id == made.id)

    assert plan.discount == "Spring"
    assert plan == await billing.subscription(made.id)


async def test_a_plan_that_ended_says_when(billing: StripeBilling, sandbox: Sandbox) -> None:
    (linus,) = await billing.find_by_email("linus@example.com")
    made = subscribed(sandbox, linus.id)
    sandbox.stripe().v1.subscriptions.cancel(made.id)

    (plan,) = (each for each in (await billing.picture(linus.id)).subscriptions if each.id == made.id)

    assert plan.status == "canceled"
    assert plan.ended_at is not None


async def test_the_ledger_of_credit_explains_the_balance(billing: StripeBilling) -> None:
    (hedy,) = await billing.find_by_email("hedy@example.com")

    ledger = await billing.credit_entries(hedy.id)

    assert hedy.balance is not None
    assert sum(entry.amount.amount for entry in ledger) == hedy.balance.amount == ledger[0].balance.amount
    assert {entry.kind for entry in ledger} >= {"adjustment", "applied_to_invoice"}


async def test_more_people_than_a_page_of_the_search_holds_are_all_found(
    billing: StripeBilling, sandbox: Sandbox
) -> None:
    """Two hundred records of one address are odd, but leaving some out would pick among them."""
    client = sandbox.stripe()
    for number in range(103):
        await client.v1.customers.create_async({"email": "Crowd@Example.com", "name": f"Crowd {number}"})

    assert len(await billing.find_by_email("crowd@example.com")) == 103
