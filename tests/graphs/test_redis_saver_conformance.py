"""The official conformance suite, on the server of this machine and on the 6.2 that is bundled."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES
from langgraph.checkpoint.serde.base import SerializerProtocol
from redis.asyncio import Redis

from graphs.redis_saver import RedisSaver
from tests.fixtures.redis import bundled_binary, running_server
from tests.graphs.test_redis_saver_places import SERDES

BINARIES = {"installed": shutil.which("redis-server"), "bundled": bundled_binary()}


@pytest.fixture(params=[name for name, path in BINARIES.items() if path])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with running_server(BINARIES[request.param] or "", tmp_path) as url:
        yield url


@pytest.mark.parametrize("serde", [None, *SERDES.values()], ids=["plain", *SERDES])
async def test_every_capability_is_detected_and_passes(server: str, serde: SerializerProtocol | None) -> None:
    @checkpointer_test(name="RedisSaver")
    async def saver() -> AsyncIterator[RedisSaver]:
        async with Redis.from_url(server) as redis:
            await redis.flushall()
        async with RedisSaver.from_url(server, serde=serde) as saver:
            yield saver

    report = await validate(saver)

    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    passed = {name for name, result in report.results.items() if result.detected and result.passed}
    assert {capability.value for capability in ALL_CAPABILITIES} == passed
    assert {"put", "put_writes", "get_tuple", "list", "delete_thread"} < passed
    assert {"delete_for_runs", "copy_thread", "prune"} < passed
