"""The servers that are measured, each a process of its own on loopback, and who asks them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from scripts.bench_serve.clients import Client
from tests.fixtures.redis import any_binary, free_port, running_server

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 90.0


@dataclass
class Server:
    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def resident(self) -> int:
        """Bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def started(*command: str, port: int, cwd: Path, **environment: str) -> Iterator[Server]:
    log = cwd / "server.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(  # noqa: S603 - our own servers
            [sys.executable, *command], cwd=cwd, stdout=said, stderr=said, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + PATIENCE_SECONDS
            while not _answers(url):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"bench: {command[:3]} did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield Server(url, process)
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ok", timeout=1).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    home, port = folder / uuid4().hex, free_port()
    home.mkdir()
    with running_server(any_binary(), home) as redis_url:
        command = ("-m", "scripts.bench_serve.app", str(home), redis_url, str(port))
        with started(*command, port=port, cwd=home, PYTHONPATH=str(ROOT)) as server:
            yield server


@contextmanager
def dev(folder: Path) -> Iterator[Server]:
    home, port = folder / uuid4().hex, free_port()
    home.mkdir()
    graphs = {"support": "scripts.bench_serve.graph:graph"}
    (home / "langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs}))
    command = ("-m", "langgraph_cli", "dev", "--no-browser", "--no-reload", "--port", str(port))
    with started(*command, port=port, cwd=home, PYTHONPATH=str(ROOT), LANGGRAPH_CLI_NO_ANALYTICS="1") as server:
        yield server


@asynccontextmanager
async def customer(server: Server, *modes: str) -> AsyncIterator[Client]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS, limits=limits) as http:
        session = await http.post("/sessions")
        if session.is_success:
            http.headers["Authorization"] = f"Bearer {session.json()['token']}"
        yield Client(http, "support", modes or ("values",))
