"""A worker that slept through the loss of its lease cannot write over its successor."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from graphs.redis_saver import RedisSaver, StaleWriter
from server.runs.lease import lease
from server.runs.work import config_of
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
