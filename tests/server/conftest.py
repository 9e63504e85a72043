"""A real server on a free port: real Redis, real ledger, real saver and verifier, and the small conversation."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import jwt
import pytest
import redis.asyncio
import structlog
import uvicorn
from fastapi import FastAPI
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from structlog.typing import Processor

from graphs.plugs import Plugs
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from nodes.context import Case
from server.app import create_app
from server.services import Services
from tests.fixtures.keys import KEYS
from tests.fixtures.sandbox import Sandbox
from tests.server.graph import compiled
from tools.billing.powers import PortalLink
from tools.billing.types import Customer
from tools.identity.verifier import Verifier
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action
from tools.policy.engine import PolicyEngine

STAFF_SECRET = "staff-secret-of-at-least-32-bytes!"
IDENTITY_SECRET = "identity-secret-of-at-least-32-byte"


@dataclass
class Outside:
    """The services around us, as far as the server touches them."""

    mails: list[tuple[str, str]] = field(default_factory=list)
    answers: bool = True
    breaker_state: str = "closed"
    links: list[dict[str, Any]] = field(default_factory=list)
    portal_fails: Exception | None = None

    async def find_by_email(self, email: str) -> tuple[Customer, ...]:
        if not self.answers:
            raise ConnectionError("connection refused: 10.0.0.7")
        known = email == "jo@example.com"
        return (Customer(id="cus_jo", email=email, name="Jo", phone=None),) if known else ()

    async def section(self, _document: str, _anchor: str) -> None: ...

    async def portal_link(self, **asked: Any) -> PortalLink:
        if self.portal_fails:
            raise self.portal_fails
        self.links.append(asked)
        return PortalLink(url="https://billing.example.com/p/session/secret-of-stripe")

    async def send(self, to: str, _subject: str, text: str) -> None:
        self.mails.append((to, text))


@dataclass
class Decider:
    """Decides cases in the ledger, without a graph of their own."""

    ledger: Ledger
    context: Any = None

    async def unfinished(self) -> list[Action]:
        return []

    async def decide(
        self, case_id: str, *, digest: str, approve: bool, agent: str, reason: str, role: str = "agent"
    ) -> Case:
        decided = await self.ledger.decide_action(
            case_id, approve=approve, agent=agent, role=role, digest=digest, reason=reason
        )
        return Case(action=decided)

    async def withdraw(self, case_id: str, *, digest: str, why: str) -> Case:
        return Case(action=await self.ledger.move_action(case_id, "void", actor="customer", reason=why, digest=digest))


def plugs_for(
    ledger: Ledger, outside: Outside, cases: Any = None
) -> Callable[[Settings], AbstractAsyncContextManager[Plugs]]:
    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Plugs]:
        async with redis.asyncio.Redis.from_url(settings.redis_url or "") as client:
            around = cast("Any", outside)
            yield Plugs(
                settings=settings,
                redis=client,
                ledger=ledger,
                billing=around,
                knowledge=around,
                verifier=Verifier(client, ledger, around, around, pepper=b"p" * 32, keys=KEYS),
                cases=cases or cast("Any", Decider(ledger, SimpleNamespace(policy=PolicyEngine.load(), mover=around))),
                context=cast("Any", SimpleNamespace(ledger=ledger, billing=around, knowledge=around)),
                graphs={"support": compiled(RedisSaver(client))},
            )

    return opened


@dataclass
class Live:
    """A server that is running, and ways to talk to it."""

    url: str
    services: Services
    server: uvicorn.Server
    task: "asyncio.Task[None]"
    outside: Outside
    _opened: list[LangGraphClient] = field(default_factory=list)

    def http(self, token: str | None = None, **more: Any) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, **more)

    def sdk(self, token: str) -> LangGraphClient:
        self._opened.append(get_client(url=self.url, headers={"Authorization": f"Bearer {token}"}, api_key=None))
        return self._opened[-1]

    async def customer(self) -> str:
        return await self._token("/sessions", {})

    async def agent(self, name: str = "Ana", role: str = "supervisor") -> str:
        return await self._token("/demo/staff", {"name": name, "role": role})

    async def metrics(self) -> str:
        """As a supervisor reads them."""
        async with self.http(await self.agent()) as client:
            return (await client.get("/metrics")).text

    async def stop(self) -> None:
        for client in self._opened:
            await client.aclose()
        self.server.should_exit = True
        await self.task

    async def _token(self, path: str, body: dict[str, str]) -> str:
        async with self.http() as client:
            answer = await client.post(path, json=body)
            return str(answer.json()["token"])


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """What is logged goes to the captured output, as a line of JSON."""
    processors: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(processors=processors)
    yield
    structlog.reset_defaults()


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return settings_for(tmp_path, redis_url)


def settings_for(home: Path, redis_url: str, **more: Any) -> Settings:
    given = {"home": home / "home", "redis_url": redis_url, "staff_secret": STAFF_SECRET}
    (home / "home").mkdir(exist_ok=True)
    return Settings(_env_file=None, identity_secret=IDENTITY_SECRET, **{**given, **more})


@asynccontextmanager
async def serving(
    settings: Settings, ledger: Ledger, outside: Outside | None = None, cases: Any = None
) -> AsyncIterator[Live]:
    outside = outside or Outside()
    async with running(create_app(settings, plugs=plugs_for(ledger, outside, cases)), outside) as live:
        yield live


@asynccontextmanager
async def running(app: FastAPI, outside: Outside) -> AsyncIterator[Live]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    live = Live(f"http://127.0.0.1:{port}", app.state.services, server, task, outside)
    try:
        yield live
    finally:
        await live.stop()


@pytest.fixture
async def live(settings: Settings, ledger: Ledger) -> AsyncIterator[Live]:
    async with serving(settings, ledger) as running:
        yield running


@pytest.fixture
async def token(live: Live) -> str:
    return await live.customer()


@pytest.fixture
async def server(trained: Path, sandbox: Sandbox, redis_url: str, tmp_path: Path) -> AsyncIterator[Live]:
    """The whole conversation, on SQLite."""
    from tests.server.whole import whole_server, whole_settings  # noqa: PLC0415 - which stands on this module

    settings = whole_settings(trained, sandbox, redis_url, f"sqlite:///{tmp_path / 'ledger.db'}")
    async with whole_server(settings) as live:
        yield live


@pytest.fixture
def sdk(live: Live, token: str) -> LangGraphClient:
    return live.sdk(token)


@pytest.fixture
async def client(live: Live, token: str) -> AsyncIterator[httpx.AsyncClient]:
    async with live.http(token) as opened:
        yield opened


@pytest.fixture
async def thread(client: httpx.AsyncClient) -> str:
    answer = await client.post("/threads", json={})
    return str(answer.json()["thread_id"])


def signed(secret: str, **claims: Any) -> str:
    return jwt.encode(claims, secret, algorithm="HS256")


def new_id() -> str:
    return str(uuid4())
