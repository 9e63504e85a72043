"""One fork server and one stage at a time for the crash matrix; one arena a module for faults, schedules and races."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.arena import Arena, opened_arena
from tests.chaos.forks import Forks, forking
from tests.chaos.life import Place
from tests.chaos.shelves import PostgreSQLShelf, Shelf, sqlite_shelf
from tests.chaos.stage import Database, PostgreSQL, SQLite
from tests.fixtures.sandbox import Sandbox


@pytest.fixture(scope="session")
def forks(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(trained, tmp_path_factory.mktemp("forks")) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return SQLite(folder=tmp_path)
    return PostgreSQL(server=request.getfixturevalue("postgres_server"))


@pytest.fixture
def place(tmp_path: Path, redis_url: str, sandbox: Sandbox, database: Database) -> Place:
    return Place(
        home=str(tmp_path),
        redis_url=redis_url,
        database_url=database.url,
        stripe_url=sandbox.url,
        smtp_port=sandbox.smtp_port,
    )


@pytest.fixture(scope="session")
def sqlite_shelved() -> Iterator[Shelf]:
    with sqlite_shelf() as shelf:
        yield shelf


@pytest.fixture(scope="session")
def postgresql_shelved(postgres_server: str) -> Shelf:
    return PostgreSQLShelf(postgres_server)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_arena(request: pytest.FixtureRequest, redis_server: str, sandbox_process: Sandbox) -> Iterator[Arena]:
    shelf: Shelf = request.getfixturevalue(f"{request.param}_shelved")
    with opened_arena(shelf, redis_server, sandbox_process) as opened:
        yield opened


@pytest.fixture
def arena(lasting_arena: Arena) -> Arena:
    """As new."""
    lasting_arena.set()
    return lasting_arena
