"""Scripts share a connection, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff, NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TookTooLong

from graphs.redis_saver.resp import packed
from graphs.redis_saver.wire import Scripts
from tests.fixtures.redis import free_port

ECHO = "return ARGV[1]"
APPEND = "return redis.call('RPUSH', KEYS[1], ARGV[1])"
FAIL = "return redis.error_reply('NO')"


@pytest.fixture(autouse=True)
async def _forgotten(redis: Redis) -> None:
    """Redis knows no script yet."""
    await cast("Any", redis).script_flush()


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
async def scripts(redis: Redis, request: pytest.FixtureRequest) -> AsyncIterator[Scripts]:
    """On a client of their own, which asks twice more in no time and waits for an answer for half a second."""
    kwargs = redis.connection_pool.connection_kwargs
    async with Redis(
        host=kwargs["host"],
        port=kwargs["port"],
        protocol=request.param,
        socket_timeout=0.5,
        retry=Retry(ConstantBackoff(0.01), 2),
    ) as client:
        yield Scripts(client)


async def command(redis: Redis, *words: str | int) -> Any:
    return await cast("Any", redis).execute_command(*words)


async def the_connection_of(scripts: Scripts) -> str:
    """Redis's id of it."""
    return str(await scripts._answer(packed("CLIENT", "ID")))


async def test_what_is_asked_at_the_same_time_goes_together_and_in_order(
    scripts: Scripts, redis: Redis, sent: list[int]
) -> None:
    await scripts.run(ECHO, [], ["first"])
    sent.clear()
    lengths = await asyncio.gather(*(scripts.run(APPEND, ["list"], [number]) for number in range(100)))

    assert lengths == list(range(1, 101))
    assert [b"%d" % number for number in range(100)] == await redis.lrange("list", 0, -1)
    assert sent == [100, 100], "all by their digests, then all with their text: nobody knew the script"


async def test_nobody_waits_for_the_answer_to_another(scripts: Scripts) -> None:
    """What comes while an answer is under way goes out at once: a burst of one each turn of the loop is no queue."""
    await scripts.run(ECHO, [], ["known"])
    wire = scripts._line.wire
    assert wire
    first = asyncio.create_task(scripts.run(ECHO, [], ["first"]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(scripts.run(ECHO, [], ["second"]))
    await asyncio.sleep(0)
    assert (await first, await second) == (b"first", b"second")


async def test_replies_of_every_shape_arrive(scripts: Scripts) -> None:
    assert await scripts.run("return {1, 'two', {false, {}}, ''}", [], []) == [1, b"two", [None, []], b""]
    assert await scripts.run("return false", [], []) is None
    assert await scripts.run("return redis.status_reply('FINE')", [], []) == b"FINE"
    large = b"x\r\n" * 1_000_000
    assert await scripts.run("return {ARGV[1], ARGV[1]}", [], [large]) == [large, large]


async def test_a_script_that_fails_fails_alone(scripts: Scripts) -> None:
    calls = [scripts.run(FAIL if number % 3 == 0 else ECHO, [], [number]) for number in range(10)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    failed = [number for number, answer in enumerate(answers) if isinstance(answer, ResponseError)]
    assert failed == [0, 3, 6, 9]
    assert [answers[number] for number in (1, 2, 4)] == [b"1", b"2", b"4"]


async def test_who_no_longer_waits_keeps_nobody_else_waiting(scripts: Scripts) -> None:
    await scripts.run(ECHO, [], ["known"])
    calls = [asyncio.create_task(scripts.run(ECHO, [], [number])) for number in range(5)]
    await asyncio.sleep(0)
    calls[2].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert isinstance(answers[2], asyncio.CancelledError)
    assert [answers[number] for number in (0, 1, 3, 4)] == [b"0", b"1", b"3", b"4"]
    assert await scripts.run(ECHO, [], ["after"]) == b"after"


async def test_an_outage_is_told_to_everybody() -> None:
    async with Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as nowhere:
        scripts = Scripts(nowhere)
        calls = (scripts.run(ECHO, [], [number]) for number in range(5))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(answer, NoConnection) for answer in answers)


async def test_a_connection_that_was_closed_is_opened_again(scripts: Scripts, redis: Redis) -> None:
    before = await the_connection_of(scripts)
    await command(redis, "CLIENT", "KILL", "ID", before)
    answers = await asyncio.gather(*(scripts.run(ECHO, [], [number]) for number in range(20)))

    assert answers == [b"%d" % number for number in range(20)]
    assert await the_connection_of(scripts) != before
    [ours] = [c for c in await redis.client_list() if c["id"] == await the_connection_of(scripts)]
    assert ours["cmd"].lower().startswith("client"), "there is one connection, not one for each that found it closed"


async def test_one_that_is_closed_under_a_question_is_opened_and_asked_again(scripts: Scripts, redis: Redis) -> None:
    connection = await the_connection_of(scripts)
    await command(redis, "CLIENT", "PAUSE", 300, "WRITE")
    calls = [asyncio.create_task(scripts.run(APPEND, ["list"], [number])) for number in range(3)]
    await asyncio.sleep(0.05)
    await command(redis, "CLIENT", "KILL", "ID", connection)

    assert sorted(await asyncio.gather(*calls)) == [1, 2, 3]


async def test_a_server_that_is_silent_is_not_waited_for_longer_than_the_client_allows(
    scripts: Scripts, redis: Redis
) -> None:
    await scripts.run(ECHO, [], ["known"])
    await command(redis, "CLIENT", "PAUSE", 5000, "ALL")
    started = asyncio.get_running_loop().time()
    with pytest.raises((TookTooLong, NoConnection)):
        await scripts.run(ECHO, [], ["nobody hears"])
    assert asyncio.get_running_loop().time() - started < 5


async def test_a_master_that_was_demoted_is_left(scripts: Scripts, redis: Redis) -> None:
    """Whoever connects anew asks Sentinel who the master is now."""
    before = await the_connection_of(scripts)
    await command(redis, "REPLICAOF", "127.0.0.1", free_port())
    try:
        with pytest.raises(NoConnection):
            await scripts.run(APPEND, ["list"], [1])
    finally:
        await command(redis, "REPLICAOF", "NO", "ONE")
    assert await scripts.run(APPEND, ["list"], [2]) == 1
    assert await the_connection_of(scripts) != before


async def test_closing_the_client_closes_the_connection(scripts: Scripts, redis: Redis) -> None:
    connection = await the_connection_of(scripts)
    await scripts._redis.aclose()
    assert connection not in {client["id"] for client in await redis.client_list()}
