"""Promises are kept, dropped, or seen to be overdue and told: once, whoever looks, and wherever they are killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.server.keeping import DAY, REFUND, Keeping, fate, keeping
from tools.business_days import after_business_days, one_business_day_after
from tools.ledger.types import Action


@pytest.fixture
async def kept(tmp_path: Path, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Keeping]:
    async with keeping(f"sqlite:///{tmp_path / 'promises.db'}", redis_url, sandbox) as opened:
        yield opened


@pytest.fixture
async def refunded(kept: Keeping) -> Action:
    return await kept.agreed(await kept.duplicate_of_ada(), REFUND)


@pytest.fixture
async def waiting(kept: Keeping) -> Action:
    return await kept.agreed(await kept.year_of_grace(), REFUND)


async def turn(kept: Keeping, action: Action, status: str) -> None:
    [refund] = kept.sandbox.stripe().v1.refunds.list({"charge": action.target}).data
    kept.sandbox.post("refunds", refund=refund.id, status=status)


class TestRefunds:
    async def test_it_is_promised_for_ten_business_days_after_the_receipt(
        self, kept: Keeping, refunded: Action
    ) -> None:
        promise = await kept.promise(refunded.id)

        assert ("refund_arrives", after_business_days(refunded.updated, 10)) == (promise.kind, promise.due)

    async def test_what_was_paid_out_is_kept_in_silence_when_its_time_comes_and_not_before(
        self, kept: Keeping, refunded: Action
    ) -> None:
        promise = await kept.promise(refunded.id)
        await kept.at(promise.due - DAY)
        assert "open" == fate(await kept.promise(refunded.id))

        assert [] == await kept.at(promise.due)

        assert "kept" == fate(await kept.promise(refunded.id))

    async def test_one_that_is_still_under_way_is_told_with_its_reference_and_goes_to_a_person(
        self, kept: Keeping
    ) -> None:
        refunded = await kept.agreed(await kept.charge_of_ada("pm_card_pendingRefund"), REFUND)
        promise = await kept.promise(refunded.id)

        [told] = await kept.at(promise.due)
        print(told)

        assert "Your refund of $49.00 to your Visa card ending in 4242" in told
        assert "5–10 business days" in told
        assert "overdue" == fate(await kept.promise(refunded.id))
        [ticket] = await kept.ledger.tickets(state="waiting")
        assert "$49.00 is still pending" in ticket.reason
        assert ticket.id in told

        await turn(kept, refunded, "succeeded")
        await kept.at(promise.due + DAY)
        assert "kept" == fate(await kept.promise(refunded.id))


class TestDecisions:
    async def test_one_is_promised_within_a_business_day_of_the_customers_yes(
        self, kept: Keeping, waiting: Action
    ) -> None:
        promise = await kept.promise(waiting.id)

        assert ("answer_by", one_business_day_after(kept.clock.now)) == (promise.kind, promise.due)

    async def test_a_late_one_is_told_once_and_the_conversation_stays_with_the_assistant(
        self, kept: Keeping, waiting: Action
    ) -> None:
        promise = await kept.promise(waiting.id)

        [told] = await kept.at(promise.due)
        print(told)
        await kept.at(promise.due + DAY)

        assert "refund of $480.00 that you asked for" in told
        assert [told] == await kept.said()
        assert "overdue" == fate(await kept.promise(waiting.id))
        assert [] == await kept.ledger.tickets()

    async def test_one_that_nobody_made_lapses_and_the_customer_hears_so_once(
        self, kept: Keeping, waiting: Action
    ) -> None:
        assert waiting.deadline is not None
        told = await kept.at(waiting.deadline)
        print(told)
        again = await kept.at(waiting.deadline + DAY)

        assert "lapsed" in told[-1]
        assert told == again
        assert "dropped" == fate(await kept.promise(waiting.id))
