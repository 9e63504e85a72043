"""A whole Counterfoil in a process of its own, and people who talk to it over HTTP."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from tests.fixtures.redis import free_port
from tests.fixtures.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
WARM = ("models", "chroma")
"""Parts of the state folder that depend on code alone, and take long to make."""


@dataclass
class World:
    """A running server with its own state folder, simulated Stripe and mail."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """Of `counterfoil serve`."""
    port: int = field(default_factory=free_port)
    stripe_port: int = field(default_factory=free_port)
    smtp_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[str] | None" = None
    ready: str = ""
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def sandbox(self) -> Sandbox:
        url = f"http://127.0.0.1:{self.stripe_port}"
        return Sandbox(url=url, smtp_port=self.smtp_port, http=self.client(url))

    def client(self, base_url: str | None = None) -> httpx.Client:
        """Closed together with the world."""
        self.clients.append(httpx.Client(base_url=base_url or self.url, timeout=30))
        return self.clients[-1]

    def start(self) -> None:
        self.process, self.ready = self.started("serve", *self.options)

    def started(self, *command: str) -> "tuple[subprocess.Popen[str], str]":
        """A process of this world, and what it says when it is ready."""
        environment = {
            **os.environ,
            "COUNTERFOIL_HOME": str(self.home),
            "PORT": str(self.port),
            "STRIPE_SANDBOX_PORT": str(self.stripe_port),
            "SMTP_SANDBOX_PORT": str(self.smtp_port),
            **self.environment,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "ready" in line:
                return process, line.strip()
        raise AssertionError(f"{command} ended before it was ready: {''.join(said)}")

    def stop(self, *, by: signal.Signals = signal.SIGINT, within: float = 15) -> int:
        assert self.process is not None
        self.process.send_signal(by)
        code = self.process.wait(timeout=within)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def inbox(self, email: str) -> list[dict[str, Any]]:
        return list(self.anybody.get("/demo/inbox", params={"email": email}).raise_for_status().json())

    @cached_property
    def anybody(self) -> httpx.Client:
        return self.client()

    def code(self, email: str) -> str:
        """The newest one-time code that was mailed there."""
        found = re.findall(r"\b\d{6}\b", self.inbox(email)[-1]["text"])
        return str(found[0])


@contextmanager
def running(home: Path, **environment: str) -> Iterator[World]:
    world = World(home=home, environment=environment)
    world.start()
    try:
        yield world
    finally:
        if world.process is not None and world.process.poll() is None:
            world.stop()
        for client in world.clients:
            client.close()


def warm(source: Path, home: Path) -> Path:
    """A new state folder that need not train and embed again."""
    home.mkdir(parents=True, exist_ok=True)
    for part in WARM:
        if (source / part).exists():
            shutil.copytree(source / part, home / part)
    return home


@dataclass
class Reply:
    """Everything that one `POST /chat` streamed."""

    events: list[tuple[str, Any]]

    @property
    def thread(self) -> str:
        return str(self.of("metadata")[0]["thread_id"])

    @property
    def text(self) -> str:
        said = [m["text"] for m in self.of("message") if m["role"] != "customer"]
        return "\n\n".join(said)

    @property
    def streamed(self) -> str:
        return "".join(token["text"] for token in self.of("token"))

    @property
    def cards(self) -> list[dict[str, Any]]:
        return [card for message in self.of("message") for card in message.get("cards", [])]

    @property
    def citations(self) -> list[dict[str, Any]]:
        return [citation for message in self.of("message") for citation in message.get("citations", [])]

    def of(self, name: str) -> list[Any]:
        return [data for event, data in self.events if event == name]


class Customer:
    """Somebody with a session who writes messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.thread: str | None = None
        self.http = world.client()
        token = self.http.post("/sessions").raise_for_status().json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def says(self, text: str) -> Reply:
        body = {"message": text, **({"thread_id": self.thread} if self.thread else {})}
        with self.http.stream("POST", "/chat", json=body) as answer:
            assert answer.status_code == 200, answer.read()
            reply = Reply(list(parse(answer.iter_lines())))
        self.thread = reply.thread
        return reply

    def signs_in(self, email: str) -> Reply:
        """Gives the address, then the code that was mailed there."""
        self.says(email)
        return self.says(self.world.code(email))

    def messages(self) -> list[dict[str, Any]]:
        return list(self.http.get(f"/threads/{self.thread}/messages").raise_for_status().json())

    def hears(self, words: str, *, within: float = 10) -> dict[str, Any]:
        """Waits for a message that holds `words`."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            for message in self.messages():
                if words in message["text"]:
                    return message
            time.sleep(0.1)
        raise AssertionError(f"{words!r} was never said; there was {[m['text'] for m in self.messages()]}")


class Staff:
    """Somebody at the desk."""

    def __init__(self, world: World, name: str = "Sam", role: str = "supervisor") -> None:
        self.http = world.client()
        asked = {"name": name, "role": role}
        token = self.http.post("/demo/staff", json=asked).raise_for_status().json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).raise_for_status().json()

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)


def parse(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name, data = "message", ""
    for line in lines:
        if not line and data:
            yield name, json.loads(data)
            name, data = "message", ""
        elif line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data += line.removeprefix("data:").strip()
