"""A worker that slept through the loss of its lease cannot write over its successor."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from graphs.redis_saver import RedisSaver, StaleWriter
from graphs.redis_saver.wire import shared
from server.events import START, EventLog
from server.runs.lease import _TAKE, lease
from server.runs.work import config_of
from tests.fixtures.keys import KEYS
from tests.server.conftest import Live
from tests.server.graph import compiled


async def test_every_lease_of_a_thread_has_a_higher_token(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        async with lease(client, "thread") as first:
            assert first is not None
        async with lease(client, "thread") as second:
            assert second is not None

    assert first.token < second.token


async def test_a_checkpoint_under_an_older_token_is_refused(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        graph = compiled(RedisSaver(client))
        await graph.aupdate_state(config_of("thread", fence=2), {"stage": "resolve"}, as_node="speak")

        with pytest.raises(StaleWriter):
            await graph.aupdate_state(config_of("thread", fence=1), {"stage": "greeting"}, as_node="speak")
        kept = await graph.aget_state(config_of("thread"))

    assert kept.values["stage"] == "resolve"


async def test_what_a_run_writes_carries_the_token_of_its_lease(live: Live) -> None:
    """A later lease than any that this server took: from then on its runs are a zombie's, and write nothing."""
    client = live.sdk(await live.customer())
    thread = (await client.threads.create())["thread_id"]
    said: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
    await client.runs.wait(thread, "support", input=said)
    graph = live.services.plugs.graphs["support"]
    await graph.aupdate_state(config_of(thread, fence=1_000), {"stage": "resolve"}, as_node="speak")
    before = (await graph.aget_state(config_of(thread))).config

    await client.runs.create(thread, "support", input=said)
    await asyncio.sleep(1)

    assert (await graph.aget_state(config_of(thread))).config == before
    assert 'counterfoil_runs_given_up_total{why="lease"}' in await live.metrics()


async def test_an_event_under_an_older_token_is_refused(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client, EventLog.open(redis_url, keys=KEYS) as log:
        async with lease(client, "thread") as first:
            assert first is not None
        async with lease(client, "thread") as second:
            assert second is not None
        await log.append("thread", "run", [("values", "{}")], fence=second.token)
        with pytest.raises(StaleWriter):
            await log.append("thread", "run", [("values", "{}")], fence=first.token)
        assert len(await log.read("thread", START)) == 1


async def test_who_asks_for_a_lease_again_because_the_answer_was_lost_has_it(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        asked = ["lease:{thread}", "fence:{thread}"]
        first = await shared(client).run(_TAKE, asked, ["me", 60_000])
        assert first == await shared(client).run(_TAKE, asked, ["me", 60_000])
        assert await shared(client).run(_TAKE, asked, ["another", 60_000]) is None
