"""A conversation is erased everywhere, beside servers that run; what was done with money is still provable."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from rich.console import Console
from structlog.testing import capture_logs

from cli.privacy import erase, export
from graphs.keys import keyring
from graphs.redis_saver import RedisSaver, StaleWriter
from graphs.settings import Settings
from server.erasure import Eraser
from server.runs.work import config_of
from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import Live, settings_for
from tests.server.test_at_rest import ADDRESS, PHRASE, a_talk, everything_in
from tests.server.whole import big_refund, whole_server, whole_settings
from tools.errors import NotFound, ThreadBusy
from tools.ledger.erasing import ERASED
from tools.ledger.genuine import examine

NUMBERS = re.compile("fence|^identity:sends:")
CONVERSATION = ("threads", "messages", "runs", "identities", "tickets", "feedback")


@pytest.fixture
def settings(
    trained: Path, sandbox: Sandbox, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The server's own, which the commands read from the environment."""
    found = whole_settings(trained, sandbox, redis_url, f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("COUNTERFOIL_HOME", str(found.home))
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATABASE_URL", found.ledger_url)
    monkeypatch.setenv("STRIPE_SANDBOX_PORT", str(found.stripe_sandbox_port))
    return found


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Live]:
    async with whole_server(settings) as live:
        yield live


def eraser(live: Live) -> Eraser:
    services = live.services
    redis = services.plugs.redis
    return Eraser(ledger=services.ledger, redis=redis, saver=RedisSaver(redis), events=services.events)


async def exported(file: Path) -> tuple[int, dict[str, Any]]:
    return await export(Console(file=StringIO()), ADDRESS, file), read(file)


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


async def erased(who: str = ADDRESS, *, dry_run: bool = False) -> tuple[int, str]:
    said = StringIO()
    code = await erase(Console(file=said, width=200), who, yes=True, dry_run=dry_run)
    return code, said.getvalue()


async def keys_about(redis: Any, *ids: str) -> set[str]:
    """Of the thread's and its cases'. Counters and tombstones are numbers that tell nothing and expire."""
    named = {key.decode() async for key in redis.scan_iter(count=1000)}
    return {key for key in named if any(one in key for one in ids) and not NUMBERS.search(key)}


async def test_an_export_has_everything_and_after_erasing_nothing_but_sums_days_and_ids_is_left(
    server: Live, settings: Settings, redis_url: str, tmp_path: Path
) -> None:
    ledger = server.services.ledger
    ada = await a_talk(server)
    await server.services.plugs.verifier.start(ada.thread, ADDRESS)
    [action] = await ledger.actions(thread=ada.thread)
    receipt: Any = await ledger.receipt_of(action.id)

    code, kept = await exported(tmp_path / "before.json")
    assert (0, [ada.thread]) == (code, [thread["id"] for thread in kept["threads"]])
    assert [] == [name for name in (*CONVERSATION, "actions", "receipts", "promises", "audit") if not kept[name]]
    told = json.dumps(kept)
    assert (True, True) == (PHRASE in told, ADDRESS in told)

    assert 0 == (await erased(dry_run=True))[0]
    assert await ledger.messages(ada.thread), "a dry run only counts"
    async with Redis.from_url(redis_url) as redis:
        before = len(await keys_about(redis, ada.thread, action.id))
    code, said = await erased()
    assert (0, True) == (code, "Conversations erased: 1." in said), said

    _, left = await exported(tmp_path / "after.json")
    told = json.dumps(left | {"about": None})
    assert (False, False) == (PHRASE in told, ADDRESS in told)
    assert [] == [name for name in CONVERSATION if left[name]]
    assert ("refund", action.amount.amount, ERASED) == (
        left["actions"][0]["kind"],
        left["actions"][0]["amount"],
        left["actions"][0]["details"]["last4"],
    )
    async with Redis.from_url(redis_url) as redis:
        assert 6 < before
        assert set() == await keys_about(redis, ada.thread, action.id)
        assert PHRASE.encode() not in await everything_in(redis)
    now: Any = await ledger.receipt(receipt.number)
    assert [[], []] == [
        [check.name for check in await examine(ledger, one) if not check.holds] for one in (receipt, now)
    ]
    await ledger.verify_audit()


async def test_vectors_are_of_policies_alone(server: Live, settings: Settings) -> None:
    await a_talk(server)
    files = [path for path in (settings.home / "chroma").rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files)
    assert b"refund" in written, "the policies are there in words"
    assert (False, False) == (PHRASE.encode() in written, ADDRESS.encode() in written)


async def test_while_something_waits_for_a_decision_nothing_is_erased_and_it_says_what(
    server: Live, settings: Settings
) -> None:
    grace, card = await big_refund([server])
    await grace.presses(card)
    code, said = await erased("grace@example.com")
    assert (1, True, True) == (code, "Nothing was erased" in said, f"awaiting_approval: action {card['id']}" in said)
    assert await server.services.ledger.messages(grace.thread)


async def test_who_writes_on_is_told_that_there_is_no_such_conversation(server: Live, settings: Settings) -> None:
    ada = await a_talk(server)
    await erased()
    async with ada.at() as http:
        for answer in (
            await http.post("/chat", json={"message": PHRASE, "thread_id": ada.thread}),
            await http.get(f"/threads/{ada.thread}/state"),
            await http.get(f"/threads/{ada.thread}/messages"),
        ):
            assert 404 == answer.status_code, answer.text
        again = await http.post("/threads", json={"thread_id": ada.thread})
        assert 409 == again.status_code
    assert [] == await server.services.ledger.messages(ada.thread)


class TestBesideARun:
    """On the small conversation, which can be told to be slow."""

    @pytest.fixture
    def settings(self, tmp_path: Path, redis_url: str) -> Settings:
        return settings_for(tmp_path, redis_url)

    async def slow_run(self, client: httpx.AsyncClient, live: Live, thread: str) -> str:
        """Under way, and asleep in the middle of the conversation."""
        said = {"messages": [{"role": "user", "content": f"slowly {PHRASE}"}]}
        run = (await client.post(f"/threads/{thread}/runs", json={"assistant_id": "support", "input": said})).json()
        while not await live.services.events.read(thread, "0-0", seconds=1):
            pass
        return str(run["run_id"])

    async def test_a_run_at_work_is_waited_for(self, live: Live, client: httpx.AsyncClient, thread: str) -> None:
        await self.slow_run(client, live, thread)
        with pytest.raises(ThreadBusy):
            await eraser(live).erase(thread, actor="cli:ana")
        assert await live.services.ledger.thread(thread)
        gone = await eraser(live).erase(thread, actor="cli:ana", patience=20)
        assert (1, 2) == (gone["runs"], gone["messages"])
        assert set() == await keys_about(live.services.plugs.redis, thread)

    async def test_one_that_lost_the_thread_in_its_sleep_brings_no_word_back(
        self, live: Live, client: httpx.AsyncClient, thread: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It does not even notice that its lease is gone before it writes."""
        monkeypatch.setattr("server.runs.executor.WATCH_SECONDS", 60)
        ledger, redis = live.services.ledger, live.services.plugs.redis
        with capture_logs() as logs:
            run = await self.slow_run(client, live, thread)
            await redis.delete(f"lease:{{{thread}}}")
            await eraser(live).erase(thread, actor="cli:ana")
            async with asyncio.timeout(20):
                while not any(entry["event"].startswith("run.") for entry in logs):  # noqa: ASYNC110 - a log is no event
                    await asyncio.sleep(0.02)
        assert ["run.given_up"] == [entry["event"] for entry in logs if entry["event"].startswith("run.")]
        assert (None, None, []) == (await ledger.thread(thread), await ledger.run(run), await ledger.messages(thread))
        assert [] == [key for key in await keys_about(redis, thread) if key.startswith("checkpoint")]
        await eraser(live).clear(thread)
        assert [] == await live.services.events.read(thread, "0-0")

    async def test_a_checkpoint_of_before_is_refused_afterwards(self, live: Live, thread: str) -> None:
        await eraser(live).erase(thread, actor="cli:ana")
        graph = live.services.plugs.graphs["support"]
        with pytest.raises(StaleWriter):
            await graph.aupdate_state(config_of(thread, fence=0), {"stage": "resolve"}, as_node="speak")
        with pytest.raises(NotFound):
            await live.services.queue.submit(thread, {"type": "notice", "case_id": "c"})


def test_keys_are_those_of_the_server(settings: Settings) -> None:
    """Or the commands above would prove nothing."""
    assert keyring(settings).newest == keyring(Settings.read()).newest
