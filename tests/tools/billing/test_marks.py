"""What our actions leave in Stripe's metadata, by which they are found again."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.books import Books
from tools.billing.mover import StripeMover
from tools.billing.stripe_billing import StripeBilling
from tools.errors import BillingRefused


@pytest.fixture
def books(sandbox: Sandbox) -> Books:
    sandbox.reset(seed=None)
    return Books(sandbox)


@pytest.fixture
def mover(billing: StripeBilling) -> StripeMover:
    return billing.mover()


async def test_each_power_keeps_its_own_mark(books: Books, billing: StripeBilling, mover: StripeMover) -> None:
    await mover.stop_collection(invoice=books.owed, action_id="act_1", idempotency_key="1")
    await mover.resend_invoice(invoice=books.owed, action_id="act_2", idempotency_key="2")

    held = await billing.invoice(books.owed)

    assert ("act_2", ("act_1", "act_2")) == (held.action_id, held.actions)


async def test_the_next_action_of_a_power_writes_over_the_last(
    books: Books, billing: StripeBilling, mover: StripeMover
) -> None:
    """So marks do not add up: Stripe keeps fifty keys and no more."""
    await mover.pause_collection(subscription=books.plan.id, resumes_at=None, action_id="a1", idempotency_key="1")
    await mover.resume_collection(subscription=books.plan.id, action_id="a2", idempotency_key="2")
    await mover.pause_collection(subscription=books.plan.id, resumes_at=None, action_id="a3", idempotency_key="3")

    assert ("a2", "a3") == (await billing.subscription(books.plan.id)).actions


async def test_a_wait_names_its_day_to_whoever_looks_into_stripe(
    books: Books, billing: StripeBilling, mover: StripeMover
) -> None:
    until = datetime(2026, 12, 24, tzinfo=UTC)
    await mover.stop_collection(invoice=books.owed, until=until, action_id="act_1", idempotency_key="1")
    await mover.stop_collection(invoice=books.owed, action_id="act_2", idempotency_key="2")

    held = books.v1.invoices.retrieve(books.owed)
    assert (False, "2026-12-24") == (held.auto_advance, held.metadata["wait_until"])
    assert ("act_1", "act_2") == (await billing.invoice(books.owed)).actions


async def test_collection_stops_and_starts_again(books: Books, mover: StripeMover) -> None:
    await mover.stop_collection(invoice=books.owed, action_id="act_1", idempotency_key="1")
    stopped = books.v1.invoices.retrieve(books.owed).auto_advance

    started = await mover.start_collection(invoice=books.owed, action_id="act_2", idempotency_key="2")

    assert (False, True) == (stopped, books.v1.invoices.retrieve(books.owed).auto_advance)
    assert ("open", "act_2") == (started.status, started.action_id)


async def test_a_mailing_is_known_by_its_key_its_invoice_and_its_time(
    books: Books, billing: StripeBilling, mover: StripeMover
) -> None:
    before, key = datetime.now(UTC) - timedelta(minutes=1), "send:1"
    never = await billing.was_mailed(books.owed, idempotency_key=key, since=before)
    await mover.resend_invoice(invoice=books.owed, action_id="act_1", idempotency_key=key)

    assert not never
    assert await billing.was_mailed(books.owed, idempotency_key=key, since=before)
    assert not await billing.was_mailed(books.owed, idempotency_key="send:2", since=before)
    assert not await billing.was_mailed("in_other", idempotency_key=key, since=before)
    assert not await billing.was_mailed(books.owed, idempotency_key=key, since=before + timedelta(hours=1))


@pytest.mark.parametrize(
    ("code", "reason"), [("insufficient_funds", "insufficient_funds"), ("expired_card", "expired_card")]
)
async def test_a_change_that_the_card_does_not_pay_says_why_as_a_customer_may_be_told(
    books: Books, mover: StripeMover, code: str, reason: str
) -> None:
    change = books.seats
    books.sandbox.fault(method="POST", path="/subscriptions/", kind="decline", code=code)

    with pytest.raises(BillingRefused) as raised:
        await mover.change_subscription(
            subscription=books.plan.id, change=change, action_id="act_1", idempotency_key="1"
        )

    assert reason == raised.value.reason
