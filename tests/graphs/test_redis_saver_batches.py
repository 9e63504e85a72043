"""Scripts that are wanted at the same time share a round trip, and nothing else."""

import asyncio
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError

from graphs.redis_saver.batch import MOST, Batches
from tests.fixtures.redis import free_port

ECHO = "return ARGV[1]"
APPEND = "return redis.call('RPUSH', KEYS[1], ARGV[1])"
FAIL = "return redis.error_reply('NO')"


@pytest.fixture(autouse=True)
async def _forgotten(redis: Redis) -> None:
    """Redis knows no script yet."""
    await cast("Any", redis).script_flush()


@pytest.fixture
def sent(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Round trips: pipelines and single commands."""
    seen: list[str] = []
    execute: Any = redis.execute_command
    pipeline: Any = redis.pipeline

    async def counting(*args: Any, **options: Any) -> Any:
        seen.append(str(args[0]))
        return await execute(*args, **options)

    def piped(*args: Any, **options: Any) -> Any:
        seen.append("pipeline")
        return pipeline(*args, **options)

    monkeypatch.setattr(redis, "execute_command", counting)
    monkeypatch.setattr(redis, "pipeline", piped)
    return seen


async def test_what_is_asked_for_meanwhile_goes_together_and_in_order(redis: Redis, sent: list[str]) -> None:
    batches = Batches(redis)
    lengths = await asyncio.gather(*(batches.run(APPEND, ["list"], [number]) for number in range(MOST)))

    assert lengths == list(range(1, MOST + 1))
    assert [b"%d" % number for number in range(MOST)] == await redis.lrange("list", 0, -1)
    assert len(sent) <= 4


async def test_more_than_fit_into_one_are_all_answered(redis: Redis) -> None:
    batches = Batches(redis)
    answers = await asyncio.gather(*(batches.run(ECHO, [], [number]) for number in range(3 * MOST + 1)))
    assert answers == [b"%d" % number for number in range(3 * MOST + 1)]


async def test_a_script_that_fails_fails_alone(redis: Redis) -> None:
    batches = Batches(redis)
    calls = [batches.run(FAIL if number % 3 == 0 else ECHO, [], [number]) for number in range(10)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    failed = [number for number, answer in enumerate(answers) if isinstance(answer, ResponseError)]
    assert failed == [0, 3, 6, 9]
    assert [answers[number] for number in (1, 2, 4)] == [b"1", b"2", b"4"]


async def test_who_no_longer_waits_keeps_nobody_else_waiting(redis: Redis) -> None:
    batches = Batches(redis)
    calls = [asyncio.create_task(batches.run(ECHO, [], [number])) for number in range(5)]
    await asyncio.sleep(0)
    calls[2].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert isinstance(answers[2], asyncio.CancelledError)
    assert [answers[number] for number in (0, 1, 3, 4)] == [b"0", b"1", b"3", b"4"]
    assert await batches.run(ECHO, [], ["after"]) == b"after"


async def test_an_outage_is_told_to_everybody_and_it_goes_on_after_it(redis: Redis) -> None:
    async with Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as nowhere:
        batches = Batches(nowhere)
        calls = (batches.run(ECHO, [], [number]) for number in range(5))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(answer, NoConnection) for answer in answers)
        batches._redis = redis
        assert await batches.run(ECHO, [], ["back"]) == b"back"
