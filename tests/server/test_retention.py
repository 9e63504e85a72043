"""What was kept for long enough is erased by every server; what is under way is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from graphs.settings import Settings
from server.retention import Retention
from tests.server.conftest import Live
from tests.server.test_erasure import eraser
from tests.tools.ledger.builders import bring_to
from tools.errors import ConfigurationError

YEAR = 365


def retention(live: Live, *, days: int = YEAR, events: int = 90, later: timedelta = timedelta()) -> Retention:
    return Retention(
        eraser=eraser(live), conversation_days=days, stripe_event_days=events, now=lambda: datetime.now(UTC) + later
    )


async def said(client: httpx.AsyncClient, text: str) -> str:
    """On a thread of its own."""
    thread = str((await client.post("/threads", json={})).json()["thread_id"])
    wanted = {"assistant_id": "support", "input": {"messages": [{"role": "user", "content": text}]}}
    assert 200 == (await client.post(f"/threads/{thread}/runs/wait", json=wanted)).status_code
    return thread


async def test_a_conversation_is_erased_when_its_time_is_over_and_not_before(
    live: Live, client: httpx.AsyncClient
) -> None:
    thread = await said(client, "hello")
    await retention(live, later=timedelta(days=YEAR, minutes=-1)).look()
    assert await live.services.ledger.messages(thread)
    await retention(live, later=timedelta(days=YEAR, minutes=1)).look()
    assert None is await live.services.ledger.thread(thread)
    assert not await live.services.plugs.redis.exists(f"events:{{{thread}}}", f"checkpoint:{{{thread}}}:index")
    entries = [one for one in await live.services.ledger.audit_entries(limit=1000) if one.event == "privacy.erased"]
    assert [(thread, "retention")] == [(one.data["thread"], one.data["actor"]) for one in entries]


async def test_zero_keeps_for_ever(live: Live, client: httpx.AsyncClient) -> None:
    thread = await said(client, "hello")
    await retention(live, days=0, events=0, later=timedelta(days=10 * YEAR)).look()
    assert await live.services.ledger.messages(thread)


async def test_what_is_under_way_is_put_off_and_is_in_nobodys_way(live: Live, client: httpx.AsyncClient) -> None:
    threads = sorted([await said(client, "one"), await said(client, "two")])
    await bring_to(live.services.ledger, "awaiting_approval", outcome="needs_approval", thread=threads[0])
    await retention(live, later=timedelta(days=YEAR + 1)).look()
    found = [bool(await live.services.ledger.thread(thread)) for thread in threads]
    assert [True, False] == found


async def test_what_a_sleeper_wrote_is_cleared_away_for_an_hour_and_then_it_is_done_with(
    live: Live, client: httpx.AsyncClient
) -> None:
    thread = await said(client, "hello")
    await eraser(live).erase(thread, actor="cli:ana")
    await live.services.events.append(thread, "run", [("values", '{"text": "late words"}')])
    await retention(live).look()
    assert [] == await live.services.events.read(thread, "0-0")
    assert [thread] == [name for name, _ in await live.services.ledger.uncleared_erasures()]
    await retention(live, later=timedelta(hours=2)).look()
    assert [] == await live.services.ledger.uncleared_erasures()


async def test_a_process_that_died_between_ledger_and_redis_leaves_it_to_the_sweep(
    live: Live, client: httpx.AsyncClient
) -> None:
    thread = await said(client, "hello")
    await live.services.ledger.erase_thread(thread, actor="cli:ana")
    assert await live.services.plugs.redis.exists(f"checkpoint:{{{thread}}}:index")
    await retention(live).look()
    assert not await live.services.plugs.redis.exists(f"checkpoint:{{{thread}}}:index")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    def reading(**given: str) -> Settings:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        return Settings.read()

    return reading


def test_days_have_defaults_and_bounds(read: Callable[..., Settings]) -> None:
    assert (365, 90) == (read().retention_days, read().stripe_event_days)
    assert (0, 0) == (read(RETENTION_DAYS="0", STRIPE_EVENT_DAYS="0").retention_days, read().stripe_event_days)
    with pytest.raises(ConfigurationError, match="STRIPE_EVENT_DAYS is 0 or at least 31"):
        read(STRIPE_EVENT_DAYS="5")
    with pytest.raises(ConfigurationError, match="RETENTION_DAYS"):
        read(RETENTION_DAYS="-1", STRIPE_EVENT_DAYS="90")
