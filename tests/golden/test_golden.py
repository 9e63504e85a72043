"""What every release left behind goes on under this one: its ledger is migrated, its conversations are taken up."""

from collections import defaultdict
from collections.abc import AsyncIterator
from copy import copy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis

from graphs import rebuild, support, upcasts
from nodes.state import STATE_VERSION
from server.runs.payload import agent_message
from server.runs.work import config_of
from server.services import Services
from server.threads import say
from tests.chaos.life import ANYBODY, THEM, Place, ended, whole_server
from tests.fixtures.sandbox import Sandbox
from tests.golden.release import RELEASES, Names, Release, seconds_since
from tools.knowledge.minilm import MiniLM
from tools.ledger.types import Run
from tools.nlu.local import LocalUnderstander
from tools.nlu.types import Understander

ALL = sorted(folder.name for folder in RELEASES.iterdir() if folder.is_dir())


@pytest.fixture(scope="module")
def understander(trained: Path) -> Understander:
    return LocalUnderstander.load(trained / "models", MiniLM.load())


@pytest.fixture(params=ALL)
def release(request: pytest.FixtureRequest) -> Release:
    return Release(request.param)


@pytest.fixture
def names(release: Release) -> Names:
    return release.names


@pytest.fixture
def place(release: Release, tmp_path: Path, redis_url: str, sandbox: Sandbox) -> Place:
    with redis.Redis.from_url(redis_url) as client:
        release.put_back(tmp_path, client)
    return Place(
        home=str(tmp_path),
        redis_url=redis_url,
        database_url=f"sqlite:///{tmp_path / 'ledger.db'}",
        stripe_url=sandbox.url,
        smtp_port=sandbox.smtp_port,
        ago=seconds_since(release.names),
    )


@pytest.fixture
async def services(place: Place, understander: Understander) -> AsyncIterator[Services]:
    async with whole_server(place, understander) as opened:
        yield opened


async def status_of(services: Services, run: Run) -> str:
    """Once it has ended."""
    await ended(services, run)
    found = await services.ledger.run(run.id)
    assert found
    return found.status


async def told(services: Services, thread: str, text: str) -> list[str]:
    """What is said in answer to the customer's `text`."""
    before = len(await services.ledger.messages(thread))
    found = await services.ledger.thread(thread)
    assert found
    assert await status_of(services, await say(services, found, text, str(uuid4()), by=THEM)) == "success"
    return [line.text for line in (await services.ledger.messages(thread))[before:] if line.role != "customer"]


async def answered(services: Services, thread: str, text: str) -> list[str]:
    """What the customer has after a colleague's `text`."""
    run = await services.queue.submit(thread, agent_message(str(uuid4()), text, "Ana"))
    assert await status_of(services, run) == "success"
    return [line.text for line in await services.ledger.messages(thread) if line.role == "agent"]


def with_the_person_at(node: str) -> Any:
    """The conversation as a release might have it whose node `human_agent` has another name."""
    anew = copy(support.builder)
    anew.nodes = {node if name == "human_agent" else name: spec for name, spec in anew.nodes.items()}
    anew.branches = defaultdict(dict)
    for name, branches in support.builder.branches.items():
        led = {way: one._replace(ends=_renamed(one.ends, node)) for way, one in branches.items()}
        anew.branches[node if name == "human_agent" else name] = led
    return anew


def _renamed(ends: Any, node: str) -> Any:
    return {way: node if end == "human_agent" else end for way, end in ends.items()} if ends else ends


def test_this_release_has_a_way_from_every_version_of_the_state() -> None:
    assert set(upcasts.UPCASTS) == set(range(1, STATE_VERSION))
    assert ALL, "no release has left anything behind"


async def test_the_log_of_its_ledger_is_unbroken(services: Services, names: Names) -> None:
    assert await services.ledger.verify_audit() > 0
    assert ANYBODY.id == (await services.ledger.thread(names.asked) or pytest.fail("no thread")).owner


async def test_a_question_that_it_asked_is_still_asked(services: Services, names: Names) -> None:
    """The wish is kept too: the address alone would not say what for."""
    [reply] = await told(services, names.asked, "ada@example.com")
    assert "code" in reply
    state = await services.plugs.graphs["support"].aget_state(config_of(names.asked))
    assert (state.values["goals"], state.values["asked"]) == (["duplicate_charge"], "code")


async def test_a_person_who_had_a_conversation_has_it_still(services: Services, names: Names) -> None:
    assert await answered(services, names.person, "Ana here, I am reading your case.") == [
        "Ana here, I am reading your case."
    ]
    assert await told(services, names.person, "thank you Ana") == []


async def test_what_waited_for_approval_waits_still_and_is_decided(services: Services, names: Names) -> None:
    waiting = await services.ledger.action(names.case)
    assert waiting
    assert (waiting.state, waiting.digest) == ("awaiting_approval", names.digest)
    decided = await services.plugs.cases.decide(
        names.case, digest=names.digest, approve=False, agent="ana", reason="not within the window"
    )
    assert decided.action
    assert decided.action.state == "rejected"


async def test_a_person_keeps_the_conversation_when_the_node_that_waited_for_them_is_gone(
    place: Place, understander: Understander, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support, "builder", with_the_person_at("front_desk"))
    async with whole_server(place, understander) as services:
        graph = services.plugs.graphs["support"]
        assert "human_agent" not in graph.nodes
        assert (await graph.aget_state(config_of(names.person))).next == ()
        assert await told(services, names.person, "is anybody there?") == []
        assert await answered(services, names.person, "I am.") == ["I am."]


async def test_a_state_of_an_older_version_is_brought_up_and_loses_nothing(
    place: Place, understander: Understander, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "STATE_VERSION", STATE_VERSION + 1)
    monkeypatch.setattr(rebuild, "upcast", lambda values: {"why": f"from {values['version']}", "version": 2})
    async with whole_server(place, understander) as services:
        [reply] = await told(services, names.asked, "ada@example.com")
        assert "code" in reply
        assert await told(services, names.person, "is anybody there?") == []
        assert await answered(services, names.person, "I am.") == ["I am."]
        state = await services.plugs.graphs["support"].aget_state(config_of(names.person))
        assert state.values["why"] == "from 1"


async def test_a_state_of_a_newer_release_is_put_together_from_the_ledger(
    place: Place, understander: Understander, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a step back to the release before: what was asked is forgotten, what was said is not."""
    monkeypatch.setattr(rebuild, "STATE_VERSION", 0)
    async with whole_server(place, understander) as services:
        assert await told(services, names.person, "is anybody there?") == []
        assert await answered(services, names.person, "I am.") == ["I am."]
