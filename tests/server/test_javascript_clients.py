"""The published JavaScript clients, run by node against a server of ours. `tests/javascript/` has what they do."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from graphs.settings import Settings
from server.app import create_app
from server.runs.executor import Executor
from tests.server.conftest import Live, Outside, plugs_for, running
from tools.ledger.ledger import Ledger

CLIENTS = Path(__file__).parents[1] / "javascript"
STAMP = CLIENTS / "node_modules" / ".counterfoil"
OLDEST_NODE = 20
SECONDS = 120
NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


@pytest.fixture(scope="session")
def node() -> str:
    """The program, with the clients installed beside the scenarios."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("NO NODE OR NO NPM: no JavaScript client was tried. Install nodejs (20 or newer) and npm.")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"NODE {version} IS TOO OLD: no JavaScript client was tried. Install {OLDEST_NODE} or newer.")
    with _alone():
        _install(npm, version)
    return node


@contextmanager
def _alone() -> Iterator[None]:
    """Workers of pytest-xdist come here at the same time."""
    with (CLIENTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(npm: str, version: str) -> None:
    wanted = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes() + version.encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    done = subprocess.run([npm, "ci"], cwd=CLIENTS, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode and any(code in done.stderr for code in NO_NETWORK):
        pytest.skip("NO NPM REGISTRY IN REACH: no JavaScript client was tried.")
    assert done.returncode == 0, done.stderr
    STAMP.write_text(wanted)


async def passes(node: str, scenarios: str, live: Live) -> None:
    """All scenarios of a file, or what node says of those that do not."""
    with TemporaryFile() as told:
        process = await asyncio.create_subprocess_exec(
            *(node, "--test", "--test-reporter=spec", f"{scenarios}.test.mjs"),
            cwd=CLIENTS,
            env={**os.environ, "COUNTERFOIL_URL": live.url, "NODE_ENV": "development"},
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), SECONDS)
        if process.returncode is None:
            process.kill()
        told.seek(0)
        assert process.returncode == 0, f"\n{told.read().decode()}"


@pytest.mark.parametrize("scenarios", ["client", "legacy-hook", "hook"])
async def test_a_client_does_what_its_makers_say(scenarios: str, node: str, live: Live) -> None:
    await passes(node, scenarios, live)


@asynccontextmanager
async def unsteady(settings: Settings, ledger: Ledger) -> AsyncIterator[Live]:
    """Its streams live for two seconds, and whoever asks may lose a thread's event log."""
    outside = Outside()
    short = settings.model_copy(update={"stream_seconds": 2})
    app = create_app(short, plugs=plugs_for(ledger, outside))

    @app.post("/lose/{thread}")
    async def lose(thread: str) -> None:
        await app.state.services.events.delete(thread)

    async with running(app, outside) as live:
        yield live


async def test_a_client_comes_through_what_goes_wrong(
    node: str, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain = Executor.drain

    async def late(self: Executor, thread: str) -> None:
        await asyncio.sleep(0.5)
        await drain(self, thread)

    monkeypatch.setattr(Executor, "drain", late)
    async with unsteady(settings, ledger) as live:
        await passes(node, "unsteady", live)


def test_what_is_installed_is_locked_and_comes_from_no_place_of_its_own() -> None:
    locked = json.loads((CLIENTS / "package-lock.json").read_text())
    wanted = json.loads((CLIENTS / "package.json").read_text())
    packages = {name: one for name, one in locked["packages"].items() if name}
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert [] == [one for one in packages.values() if "resolved" in one]
    named = {name: packages[f"node_modules/{name}"]["version"] for name in wanted["devDependencies"]}
    assert wanted["devDependencies"] == named
