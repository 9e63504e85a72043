"""Writes to one customer never overlap; those to two do. Judged by the requests that are under way."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.conftest import HASTY
from tools.billing.mover import StripeMover
from tools.billing.stripe_billing import StripeBilling
from tools.billing.transport import HttpxTransport
from tools.billing.turns import Turns
from tools.billing.types import Charge
from tools.money import Money


class Watched(HttpxTransport):
    """Counts how many writes are under way at once."""

    under_way = 0
    most = 0

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        writes = method.upper() == "POST"
        Watched.under_way += writes
        Watched.most = max(Watched.most, Watched.under_way)
        try:
            return await super().request_async(method, url, headers, post_data)
        finally:
            Watched.under_way -= writes


@pytest_asyncio.fixture
async def billing(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeBilling]:
    monkeypatch.setattr("tools.billing.stripe_billing.HttpxTransport", Watched)
    monkeypatch.setattr(Watched, "most", 0)
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=HASTY) as reader:
        yield reader


async def charges(billing: StripeBilling, email: str) -> list[Charge]:
    (customer,) = await billing.find_by_email(email)
    return [charge for charge in (await billing.picture(customer.id)).charges if charge.refundable]


async def refund_all(mover: StripeMover, found: list[Charge]) -> None:
    async with asyncio.TaskGroup() as group:
        for charge in found:
            group.create_task(
                mover.refund(
                    charge=charge.id,
                    amount=Money(100, "usd"),
                    reason="requested_by_customer",
                    action_id="act_1",
                    idempotency_key=f"refund:{charge.id}",
                )
            )


async def test_writes_to_one_customer_go_one_after_another(billing: StripeBilling) -> None:
    found = (await charges(billing, "annie@example.com"))[:8]

    await refund_all(billing.mover(), found)

    assert (len(found), Watched.most) == (8, 1)


async def test_writes_to_two_customers_go_side_by_side(billing: StripeBilling, sandbox: Sandbox) -> None:
    found = [(await charges(billing, email))[0] for email in ("annie@example.com", "old@example.com")]
    sandbox.fault(method="POST", path="/v1/refunds", kind="slow", seconds=0.2, count=2)

    await refund_all(billing.mover(), found)

    assert Watched.most == 2


async def test_an_object_that_was_never_read_is_its_own_owner() -> None:
    turns = Turns()

    async with turns.of("ch_1"), turns.of("ch_2"):
        pass


async def test_the_owner_is_learned_from_what_was_read() -> None:
    turns = Turns()
    turns.learn({"id": "ch_1", "customer": "cus_1"})
    turns.learn({"id": "in_1", "customer": {"id": "cus_1"}})

    async with turns.of("ch_1"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), turns.of("in_1"):
                pass


async def test_a_lock_lasts_as_long_as_somebody_wants_it() -> None:
    turns = Turns()
    async with turns.of("cus_1"):
        assert len(turns._locks) == 1

    gc.collect()
    assert len(turns._locks) == 0
