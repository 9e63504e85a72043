"""The inbox: an event is written down once, claimed by one, and ended once."""

import asyncio
from datetime import timedelta

from tests.tools.ledger.builders import START, Clock
from tools.ledger.ledger import Ledger
from tools.ledger.types import InboxEvent

LEASE = timedelta(seconds=30)


async def record(ledger: Ledger, event_id: str = "evt_1", quarantined: str | None = None) -> bool:
    return await ledger.record_stripe_event(
        event_id,
        type_="refund.failed",
        created=START - timedelta(minutes=1),
        kind="refund",
        object_="re_1",
        quarantined=quarantined,
    )


async def waiting(ledger: Ledger) -> list[str]:
    return [event.id for event in await ledger.unprocessed_stripe_events()]


async def test_an_event_is_kept_with_its_ids_alone(ledger: Ledger) -> None:
    assert await record(ledger)

    expected = InboxEvent(
        id="evt_1",
        type="refund.failed",
        created=START - timedelta(minutes=1),
        kind="refund",
        object="re_1",
        customer=None,
        state="received",
        note="",
        attempts=0,
        due=START,
        received_at=START,
        processed_at=None,
    )
    assert expected == await ledger.stripe_event("evt_1")
    assert await ledger.stripe_event("evt_2") is None


async def test_of_twenty_deliveries_of_one_event_one_is_new(ledger: Ledger) -> None:
    new = await asyncio.gather(*(record(ledger) for _ in range(20)))

    assert 1 == sum(new)
    assert ["evt_1"] == await waiting(ledger)


async def test_of_ten_workers_one_gets_it(ledger: Ledger) -> None:
    await record(ledger)

    claimed = await asyncio.gather(*(ledger.claim_stripe_event("evt_1", lease=LEASE) for _ in range(10)))

    assert [1] == [event.attempts for event in claimed if event]
    assert [] == await waiting(ledger)


async def test_what_a_dead_worker_had_is_taken_up_after_its_lease(ledger: Ledger, clock: Clock) -> None:
    await record(ledger)
    await ledger.claim_stripe_event("evt_1", lease=LEASE)
    clock.forward(seconds=29)
    assert await ledger.claim_stripe_event("evt_1", lease=LEASE) is None

    clock.forward(seconds=1)

    assert ["evt_1"] == await waiting(ledger)
    again = await ledger.claim_stripe_event("evt_1", lease=LEASE)
    assert again is not None
    assert 2 == again.attempts


async def test_what_was_put_off_waits_until_then(ledger: Ledger, clock: Clock) -> None:
    await record(ledger)
    await ledger.claim_stripe_event("evt_1", lease=LEASE)

    await ledger.put_off_stripe_event("evt_1", until=START + timedelta(hours=1), note="billing_unavailable")

    clock.forward(minutes=59)
    assert [] == await waiting(ledger)
    clock.forward(minutes=1)
    assert ["evt_1"] == await waiting(ledger)


async def test_an_event_ends_once_and_is_audited_with_its_end(ledger: Ledger, clock: Clock) -> None:
    await record(ledger)
    clock.forward(seconds=5)

    ended = [
        await ledger.settle_stripe_event("evt_1", "processed", "told", audit=[("dispute.seen", {"dispute": "dp_1"})])
        for _ in range(2)
    ]

    assert [True, False] == ended
    assert [("dispute.seen", {"dispute": "dp_1"})] == [(e.event, e.data) for e in await ledger.audit_entries()]
    event = await ledger.stripe_event("evt_1")
    assert event is not None
    assert ("processed", "told", clock.now) == (event.state, event.note, event.processed_at)
    assert await ledger.claim_stripe_event("evt_1", lease=LEASE) is None


async def test_a_quarantined_event_is_kept_and_never_claimed(ledger: Ledger) -> None:
    assert await record(ledger, quarantined="api_version")

    assert [] == await waiting(ledger)
    assert await ledger.claim_stripe_event("evt_1", lease=LEASE) is None
    assert not await record(ledger)
