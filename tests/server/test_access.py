"""Every route, asked by everybody: who is let in is let in, and nobody else learns even that something is there."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI

from graphs.settings import Settings
from server.access import refuse_undeclared, rules_of
from server.app import create_app
from server.auth import Rule, anybody, verified
from server.routes import sessions
from server.runs.queue import RunQueue
from tests.server.conftest import Live, serving, settings_for
from tests.server.login import ISSUER, Login, logging_in
from tests.server.matrix.callers import Caller, everybody, expected
from tests.server.matrix.table import TABLE, Row
from tests.server.matrix.world import MARK, World
from tools.errors import ConfigurationError
from tools.ledger.ledger import Ledger

READS = ("GET",)


@pytest.fixture
def login() -> Iterator[Login]:
    with logging_in() as started:
        yield started


@pytest.fixture
async def live(
    ledger: Ledger, redis_url: str, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Live]:
    """The login's server stands in for the mailbox of the demo, too: it answers. Runs that wait are left to wait."""

    async def nothing(_queue: RunQueue) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(RunQueue, "sweep", nothing)
    settings = settings_for(
        tmp_path,
        redis_url,
        identity_jwks_url=login.url,
        identity_issuer=ISSUER,
        staff_secret=None,
        staff_jwks_url=login.url,
        staff_issuer=ISSUER,
        stripe_sandbox_port=urlsplit(login.url).port,
        stripe_webhook_secret="whsec_0123456789abcdef",
    )
    async with serving(settings, ledger) as running:
        yield running


def documented(app: FastAPI) -> list[str]:
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    return [f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in methods]


def missing(app: FastAPI) -> tuple[set[str], set[str]]:
    """What is documented and not in the table, and the other way round."""
    routes = set(documented(app))
    return routes - TABLE.keys(), TABLE.keys() - routes


@pytest.fixture
def app() -> FastAPI:
    return create_app(Settings(_env_file=None))


def test_every_route_is_in_the_table_and_only_the_page_is_not_documented(app: FastAPI) -> None:
    assert (set(), set()) == missing(app)
    declared = {f"{method} {path}" for method, path in rules_of(app)}
    assert {"GET /"} == declared - set(documented(app))


def test_a_new_route_that_is_not_in_the_table_is_found(app: FastAPI) -> None:
    @app.get("/new", dependencies=[Depends(anybody)])
    async def new() -> None: ...

    app.openapi_schema = None
    assert ({"GET /new"}, set()) == missing(app)


class TestARouteThatNobodyGuards:
    def app(self, path: str, *dependencies: Any, prefix: str = "") -> FastAPI:
        app, router = FastAPI(openapi_url=None), APIRouter(prefix=prefix)

        @router.get(path, dependencies=[Depends(one) for one in dependencies])
        async def route() -> None: ...

        app.include_router(router)
        return app

    def test_it_does_not_start(self) -> None:
        with pytest.raises(ConfigurationError, match=r"GET /inner/new says not who may call it"):
            refuse_undeclared(self.app("/new", prefix="/inner"))

    def test_any_guard_lets_it_start(self) -> None:
        app = self.app("/new", verified)
        refuse_undeclared(app)
        assert {("GET", "/new"): Rule.CALLER} == rules_of(app)

    @pytest.mark.parametrize("guard", [anybody, verified])
    def test_a_name_in_its_path_has_to_be_somebodys(self, guard: Any) -> None:
        with pytest.raises(ConfigurationError, match="says not whose invoice_id it is"):
            refuse_undeclared(self.app("/invoices/{invoice_id}", guard))

    def test_a_route_past_fastapi_does_not_start_either(self) -> None:
        app = FastAPI(openapi_url=None)
        app.add_route("/bare", lambda _request: None)  # type: ignore[arg-type, return-value]
        with pytest.raises(ConfigurationError, match="/bare says not who"):
            refuse_undeclared(app)

    def test_the_server_itself_refuses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def route() -> None: ...

        router = APIRouter()
        router.include_router(sessions.router)
        router.add_api_route("/new", route)
        monkeypatch.setattr(sessions, "router", router)
        with pytest.raises(ConfigurationError, match="GET /new says not who"):
            create_app(Settings(_env_file=None))


@dataclass
class Matrix:
    """Asks, compares, and keeps what was not as expected."""

    live: Live
    owner: str
    http: httpx.AsyncClient
    cells: int = 0
    surprises: list[str] = field(default_factory=list)

    async def walk(self, routes: list[str], callers: list[Caller]) -> None:
        world = await World.made(self.live, self.owner)
        before = await world.looks()
        for route in routes:
            for row in TABLE[route]:
                for caller in callers:
                    if (refusal := expected(row.rule, caller)) is not None:
                        await self.refused(world, route, row, caller, refusal)
        changed = [(was, now) for was, now in zip(before, await world.looks(), strict=True) if was != now]
        self.surprises += [f"who was refused changed {was} into {now}" for was, now in changed]
        for route in routes:
            for row in TABLE[route]:
                for caller in callers:
                    if expected(row.rule, caller) is None:
                        await self.let_in(world, route, row, caller)

    async def refused(self, world: World, route: str, row: Row, caller: Caller, status: int) -> None:
        """What is another's and what is not there are answered alike, word for word."""
        there = await self.ask(world, route, row, caller)
        nowhere = await self.ask(world.elsewhere(), route, row, caller)
        self.note(route, caller, there[0] == status, f"{there[0]}, not {status}: {there[1][:200]}")
        self.note(route, caller, there == nowhere, f"{there} is not {nowhere}", cell=False)
        self.secret(world, route, caller, there[1])

    async def let_in(self, world: World, route: str, row: Row, caller: Caller) -> None:
        """What changes something gets a world of its own."""
        fresh = route.startswith(READS) or row.rule in {"open", "demo", "caller"}
        world = world if fresh else await World.made(self.live, self.owner)
        status, body = await self.ask(world, route, row, caller)
        self.note(route, caller, status in row.ok, f"{status}, not one of {row.ok}: {body[:200]}")
        if caller.kind in {"nobody", "customer"} or row.rule == "metrics":
            self.secret(world, route, caller, body)

    async def ask(self, world: World, route: str, row: Row, caller: Caller) -> tuple[int, str]:
        method, path = route.split(" ")
        async with self.http.stream(method, headers=caller.headers, **world.request(path, row)) as answer:
            return answer.status_code, await _read(answer)

    def secret(self, world: World, route: str, caller: Caller, body: str) -> None:
        told = [name for name in (MARK, *world.names.values()) if name != "support" and name in body]
        self.note(route, caller, not told, f"was told {told}", cell=False)

    def note(self, route: str, caller: Caller, as_expected: bool, said: str, *, cell: bool = True) -> None:
        self.cells += cell
        if not as_expected:
            self.surprises.append(f"{route} by {caller.name}: {said}")


async def _read(answer: httpx.Response) -> str:
    """A stream that lets somebody in need not be heard to its end."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return ""
    await answer.aread()
    return answer.text


async def test_the_whole_matrix_of_routes_and_callers(
    live: Live, login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = await live.customer()
    callers, routes = await everybody(live, login, owner), documented(create_app(live.services.settings))
    async with live.http() as http:
        matrix = Matrix(live, owner, http)
        await matrix.walk(routes, callers)
    with capsys.disabled():
        print(  # noqa: T201 - the figure to show
            f"\naccess: {len(routes)} routes x {len(callers)} callers, {matrix.cells} cells, "
            f"{len(matrix.surprises)} surprises"
        )
    assert [] == matrix.surprises
    assert matrix.cells == sum(len(TABLE[route]) for route in routes) * len(callers)
