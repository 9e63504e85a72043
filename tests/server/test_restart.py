"""What a worker leaves behind is taken up by the next one, and nothing is said twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import redis.asyncio

from graphs.redis_saver import RedisSaver
from server.runs import executor, marks, queue, work
from server.runs.work import config_of
from tests.server.conftest import new_id, serving, settings_for
from tests.server.graph import compiled
from tools.errors import LedgerUnavailable
from tools.ledger.ledger import Ledger

OWNER = "anon_owner"


async def abandoned(ledger: Ledger, text: str) -> tuple[str, str]:
    """A run that was written down and marked running by a worker that is no more."""
    thread, run = new_id(), new_id()
    await ledger.create_thread(thread, OWNER, {})
    payload = {"type": "customer_message", "message_id": new_id(), "text": text, "masked": []}
    await ledger.create_run(run, thread, "support", payload)
    await ledger.set_run(run, "running")
    return thread, run


async def finished(ledger: Ledger, run: str) -> str:
    async with asyncio.timeout(10):
        while True:
            found = await ledger.run(run)
            assert found
            if found.is_over:
                return found.status
            await asyncio.sleep(0.05)


async def said(ledger: Ledger, thread: str) -> list[str]:
    return [message.text for message in await ledger.messages(thread)]


async def test_a_run_that_never_began_is_carried_out_at_start(ledger: Ledger, redis_url: str, tmp_path: Path) -> None:
    thread, run = await abandoned(ledger, "hello")
    async with serving(settings_for(tmp_path, redis_url), ledger):
        assert await finished(ledger, run) == "success"
    assert await said(ledger, thread) == ["hello", "You said: hello"]


@pytest.mark.parametrize("steps", [1, 2, 5, 100])
async def test_a_run_that_was_cut_off_goes_on_from_its_checkpoint(
    ledger: Ledger, redis_url: str, tmp_path: Path, steps: int
) -> None:
    thread, run = await abandoned(ledger, "hello")
    await cut_off(redis_url, thread, run, {"messages": [("user", "hello")]}, steps)
    async with serving(settings_for(tmp_path, redis_url), ledger):
        assert await finished(ledger, run) == "success"
    assert await said(ledger, thread) == ["hello", "You said: hello"]


async def test_a_customers_word_to_a_person_is_not_said_twice(ledger: Ledger, redis_url: str, tmp_path: Path) -> None:
    async with serving(settings_for(tmp_path, redis_url), ledger) as live:
        token = await live.customer()
        async with live.http(token) as client:
            thread = await parked(client)
    run = new_id()
    payload = {"type": "customer_message", "message_id": new_id(), "text": "are you there?", "masked": []}
    await ledger.create_run(run, thread, "support", payload)
    await answered(redis_url, thread, run, payload)
    async with serving(settings_for(tmp_path, redis_url), ledger):
        assert await finished(ledger, run) == "success"
    assert await said(ledger, thread) == ["person please", "are you there?"]


async def test_stopping_in_the_middle_of_a_run_loses_nothing(
    ledger: Ledger, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "GRACE_SECONDS", 0.1)
    settings = settings_for(tmp_path, redis_url)
    async with serving(settings, ledger) as live, live.http(await live.customer()) as client:
        thread = (await client.post("/threads", json={})).json()["thread_id"]
        message = {"role": "human", "content": "slowly now"}
        body = {"assistant_id": "support", "input": {"messages": [message]}}
        run = (await client.post(f"/threads/{thread}/runs", json=body)).json()["run_id"]
        await asyncio.sleep(0.2)
        await live.stop()
    left = await ledger.run(run)
    assert left
    assert not left.is_over
    async with serving(settings, ledger):
        assert await finished(ledger, run) == "success"
    assert await said(ledger, thread) == ["slowly now", "You said: slowly now"]


@pytest.mark.parametrize("verb", ["set_run", "end_run"])
async def test_a_ledger_that_is_away_for_a_moment_fails_no_run(
    ledger: Ledger, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The customer was told that something went wrong, when a database had changed its master meanwhile."""
    monkeypatch.setattr(queue, "SWEEP_SECONDS", 0.2)
    thread, run = await abandoned(ledger, "slowly now")
    real, away = getattr(Ledger, verb), [LedgerUnavailable()]

    async def answers_the_second_time(*given: Any, **more: Any) -> Any:
        if away:
            raise away.pop()
        return await real(*given, **more)

    monkeypatch.setattr(Ledger, verb, answers_the_second_time)
    async with serving(settings_for(tmp_path, redis_url), ledger):
        assert await finished(ledger, run) == "success"
    assert not away
    assert await said(ledger, thread) == ["slowly now", "You said: slowly now"]


async def test_a_run_that_kills_its_worker_is_not_tried_for_ever(
    ledger: Ledger, redis_url: str, tmp_path: Path
) -> None:
    thread, run = await abandoned(ledger, "hello")
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        for _ in range(work.MOST_ATTEMPTS):
            await marks.begin(client, thread, run)
    async with serving(settings_for(tmp_path, redis_url), ledger):
        assert await finished(ledger, run) == "error"


async def test_while_a_worker_holds_the_thread_nobody_else_runs_it(
    ledger: Ledger, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "SWEEP_SECONDS", 0.2)
    thread, run = await abandoned(ledger, "hello")
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.set(f"lease:{{{thread}}}", "another worker", px=60_000)
        async with serving(settings_for(tmp_path, redis_url), ledger) as live:
            await asyncio.sleep(0.4)
            waiting = await ledger.run(run)
            assert waiting
            assert waiting.status == "running"
            assert await live.services.events.tail(thread) == "0-0"
            await client.delete(f"lease:{{{thread}}}")
            assert await finished(ledger, run) == "success"


async def parked(client: httpx.AsyncClient) -> str:
    thread = str((await client.post("/threads", json={})).json()["thread_id"])
    run = {"assistant_id": "support", "input": {"messages": [{"role": "human", "content": "person please"}]}}
    await client.post(f"/threads/{thread}/runs/wait", json=run)
    return thread


async def cut_off(redis_url: str, thread: str, run: str, given: Any, steps: int) -> None:
    """As far as a worker came that was killed after so many parts of the stream."""
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        graph = compiled(RedisSaver(client))
        stream = graph.astream(
            given, config_of(thread, run), stream_mode=["values", "updates", "messages"], durability="sync"
        )
        async with aclosing(cast("AsyncGenerator[Any]", stream)):
            async for _ in stream:
                steps -= 1
                if not steps:
                    break


async def answered(redis_url: str, thread: str, run: str, payload: dict[str, Any]) -> None:
    """As far as a worker came that was killed when the answer was stored, but not worked off."""
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        saver = RedisSaver(client)
        kept = await saver.aget_tuple(config_of(thread))
        assert kept
        task = next(task_id for task_id, channel, _ in kept.pending_writes or [] if channel == "__interrupt__")
        await saver.aput_writes(kept.config, [("__resume__", [payload])], task)
