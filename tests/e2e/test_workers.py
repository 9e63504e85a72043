"""A server and its workers as processes apart: what one worker leaves, another goes on with, and no stream tells it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.figures import Say
from tests.e2e.workers import Crew, Talk, crew_of, talking
from tests.e2e.world import ROOT, Customer, World, warm
from tests.fixtures.redis import free_port
from tests.server.sse import Sent, names

RECOVERY_SECONDS = 15.0
SLOW = {"reads": {"hi": ["greeting"]}, "mood": "slow", "seconds": 2.5}
"""A step is longer than a worker that stops lets it go on."""
METRICS_PORT = free_port()
QUICK = {"reads": {"hi": ["greeting"]}, "mood": "faithful"}


@pytest.fixture(scope="module")
def lasting_crew(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    folder = tmp_path_factory.mktemp("crew")
    world = World(home=warm(shared_world.home, folder / "home"))
    world.environment["OPENAI_BASE_URL"] = f"http://127.0.0.1:{world.stripe_port}/openai/v1"
    with crew_of(world, folder, *([] for _ in range(2)), ["--metrics-port", str(METRICS_PORT)]) as crew:
        yield crew
    for client in world.clients:
        client.close()


@pytest.fixture
def crew(lasting_crew: Crew) -> Crew:
    lasting_crew.world.sandbox.post("model", **QUICK)
    return lasting_crew


def refused(*command: str, home: Path, redis_url: str = "") -> str:
    """What a command says that must not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "cli", *command],
        cwd=ROOT,
        env={**os.environ, "COUNTERFOIL_HOME": str(home), "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (2, 1) == (ended.returncode, len(ended.stderr.strip().splitlines())), ended.stderr
    return ended.stderr


async def said_once_and_streamed_whole(talk: Talk, events: list[Sent]) -> None:
    assert await talk.after("-1") == events
    assert "gap" not in names(events)
    assert len(events) == len({event.id for event in events})
    assert ["customer", "assistant"] == [line["role"] for line in await talk.lines()]


async def test_each_of_many_conversations_is_answered_once(crew: Crew) -> None:
    customers = [Customer(crew.world) for _ in range(6)]

    replies = await asyncio.gather(*(asyncio.to_thread(customer.says, "hi") for customer in customers))

    assert [["customer", "assistant"]] * 6 == [[line["role"] for line in one.messages()] for one in customers]
    assert ["Certainly. Hello!"] * 6 == [reply.text[:17] for reply in replies]


def test_a_worker_tells_who_watches_it_that_it_lives_and_what_it_did(crew: Crew) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{METRICS_PORT}") as http:
        assert {"ok": True} == http.get("/ok").json()
        figures = http.get("/metrics").text

    assert "counterfoil_run_seconds_count" in figures
    assert "counterfoil_automatic_actions 1.0" in figures


async def test_a_worker_that_is_told_to_stop_hands_its_run_on_and_no_stream_tells_it(crew: Crew, say: Say) -> None:
    crew.world.sandbox.post("model", **SLOW)
    async with talking(crew, "hi") as (talk, ended):
        pid, told = await crew.amid(talk), time.monotonic()
        code = await crew.end(pid, signal.SIGTERM)
        gone = time.monotonic() - told
        await ended

        assert (0, 2) == (code, len(talk.tries()))
        say(f"a worker told to stop: gone after {gone:.1f} s, its run went on after {talk.tries()[1] - told:.1f} s")
        await said_once_and_streamed_whole(talk, talk.events)


async def test_the_run_of_a_worker_that_was_killed_goes_on_within_fifteen_seconds(crew: Crew, say: Say) -> None:
    crew.world.sandbox.post("model", **SLOW)
    async with talking(crew, "hi") as (talk, ended):
        await crew.end(await crew.amid(talk), signal.SIGKILL)
        killed = time.monotonic()
        await ended

        took = talk.tries()[1] - killed
        say(f"a worker killed: its run went on after {took:.1f} s")
        assert took < 2 * RECOVERY_SECONDS  # the machine may be busy
        await said_once_and_streamed_whole(talk, talk.events)


def test_a_worker_without_redis_is_told_what_to_do(tmp_path: Path) -> None:
    assert "REDIS_URL" in refused("worker", home=tmp_path)


def test_a_server_without_a_worker_and_without_redis_is_told_what_to_do(tmp_path: Path) -> None:
    assert "REDIS_URL" in refused("serve", "--no-worker", home=tmp_path)


def test_a_worker_that_could_not_read_what_the_server_writes_does_not_start(crew: Crew, tmp_path: Path) -> None:
    said = refused("worker", home=tmp_path, redis_url=crew.redis_url)

    assert "COUNTERFOIL_SECRET" in said
    assert "COUNTERFOIL_HOME" in said


async def test_a_server_that_is_told_to_stop_sends_its_streams_away_and_the_run_goes_on(crew: Crew) -> None:
    crew.world.sandbox.post("model", **SLOW)
    async with talking(crew, "hi") as (talk, ended):
        await crew.amid(talk)
        code = await asyncio.to_thread(crew.world.stop, by=signal.SIGTERM)
        await ended
        crew.world.start()

        assert (0, "reconnect") == (code, talk.events[-1].event)
        before = talk.events[:-1]
        assert 1 == len(talk.tries())
        await said_once_and_streamed_whole(talk, before + await talk.after(talk.events[-1].id))
