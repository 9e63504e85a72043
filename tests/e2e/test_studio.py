"""LangGraph's own development server on our graphs, as `make studio` starts it."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from tests.e2e.world import ROOT, World, warm
from tests.fixtures.redis import free_port

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("langgraph_api") is None,
    reason="LangGraph's development server is not installed: `make .venv/studio` installs it",
)


@pytest.fixture(scope="module")
def home(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warm(shared_world.home, tmp_path_factory.mktemp("studio") / "home")


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[httpx.Client]:
    port = free_port()
    ports = {name: str(free_port()) for name in ("STRIPE_SANDBOX_PORT", "SMTP_SANDBOX_PORT")}
    with (home / "studio.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "studio", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **ports, "COUNTERFOIL_HOME": str(home)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        _await_ok(client, process)
        yield client
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=20)


def _await_ok(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the development server ended before it answered"
        try:
            if client.get("/ok").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the development server did not answer within a minute")


@pytest.mark.parametrize("name", ["support", "action"])
def test_the_forms_and_the_diagram_of_both_graphs_are_served(studio: httpx.Client, name: str) -> None:
    found = studio.post("/assistants/search", json={"graph_id": name}).json()
    [assistant] = [one["assistant_id"] for one in found]

    assert 200 == studio.get(f"/assistants/{assistant}/schemas").status_code
    assert 200 == studio.get(f"/assistants/{assistant}/graph").status_code


def test_a_run_goes_through_with_our_saver(studio: httpx.Client, home: Path) -> None:
    thread = studio.post("/threads", json={}).json()["thread_id"]
    asked = {"messages": [{"type": "human", "content": "what is your refund policy for annual plans?"}]}

    ended = studio.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "support", "input": asked}).json()

    assert "annual" in ended["messages"][-1]["content"]
    with redis.Redis.from_url((home / "redis.url").read_text()) as client:
        assert [] != client.keys(f"checkpoint:{{{thread}}}:*")


def test_the_server_finds_no_method_missing_in_our_saver(studio: httpx.Client, home: Path) -> None:
    assert studio.get("/ok").is_success
    assert "without bound" not in (home / "studio.log").read_text()
