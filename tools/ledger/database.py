"""Connections and transactions on SQLite and PostgreSQL, and the border where their errors become ours.

The ledger fails closed: what cannot be read or written raises, and a transaction that raised left nothing.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

import aiosqlite
import asyncpg
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tools.errors import (
    AlreadyUnderWay,
    Conflict,
    CounterfoilError,
    LedgerUnavailable,
    NotFound,
    Unavailable,
    Unprocessable,
)
from tools.ledger.digest import canonical
from tools.ledger.sealed import KEYRING
from tools.ledger.sqlite import connect
from tools.ledger.url import parse
from tools.sealing.keyring import Keyring

_SECONDS_TO_WAIT = 15

# FULL: the intent row must survive a power cut that comes after the money has moved. What is deleted is written over.
_PRAGMAS = ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")

_SQLITE = {"async_creator_fn": connect, "isolation_level": None, "timeout": _SECONDS_TO_WAIT}

_POSTGRES = {
    "timeout": 5,
    "command_timeout": 30,
    "server_settings": {
        "application_name": "counterfoil",
        # A worker that vanished in mid-transaction must not hold the audit log's lock for ever.
        "idle_in_transaction_session_timeout": "30000",
        "lock_timeout": f"{_SECONDS_TO_WAIT}s",
    },
}

_MISFIT = "A value does not fit into the ledger."
_FAULTS: dict[str, type[CounterfoilError]] = {
    "23503": NotFound,
    "SQLITE_CONSTRAINT_FOREIGNKEY": NotFound,
    "23505": Conflict,
    "SQLITE_CONSTRAINT_UNIQUE": Conflict,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Conflict,
    # Our triggers: what may not be changed, or not in this state.
    "P0001": Conflict,
    "SQLITE_CONSTRAINT_TRIGGER": Conflict,
    "23514": Unprocessable,
    "23502": Unprocessable,
    "SQLITE_CONSTRAINT_CHECK": Unprocessable,
    "SQLITE_CONSTRAINT_NOTNULL": Unprocessable,
}


_NAMED: dict[str, type[CounterfoilError]] = {
    # Who looked first could not see the other one's transaction, which had not ended.
    "uq_actions_live_target": AlreadyUnderWay,
}


class Database:
    """One pool. A connection is held for one call and goes back at once."""

    def __init__(self, engine: AsyncEngine, keys: Keyring) -> None:
        self.dialect = engine.dialect.name
        self.keys = keys
        self._engine = engine
        self._looker = engine.execution_options(ledger_begin="")
        self._writer = engine.execution_options(ledger_begin="BEGIN IMMEDIATE")
        # SQLite has one writer; queueing here is fair and holds no connection, its own busy loop is neither.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.sqlite else nullcontext()

    @property
    def sqlite(self) -> bool:
        return self.dialect == "sqlite"

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, keys: Keyring) -> AsyncIterator[Self]:
        address = parse(url)
        engine = _engine(address)
        setattr(engine.dialect, KEYRING, keys)
        try:
            if engine.dialect.name == "sqlite":
                await _enter_wal(Path(str(address.database)))
            yield cls(engine, keys)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """On SQLite all queries of the block see the same moment."""
        with _translated():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncConnection]:
        """For a block of one query, which needs no transaction around it."""
        with _translated():
            async with self._looker.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of the block is kept, or none of it."""
        with _translated():
            async with self._turn, self._writer.begin() as connection:
                yield connection


def _engine(url: URL) -> AsyncEngine:
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_async_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=_SECONDS_TO_WAIT,
        pool_pre_ping=not sqlite,
        # Statements end up in tracebacks and logs, and their parameters are customers' words.
        hide_parameters=True,
        json_serializer=lambda value: canonical(value).decode(),
        connect_args=_SQLITE if sqlite else _POSTGRES,
    )
    if sqlite:
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        event.listen(engine.sync_engine, "invalidate", _let_go)
    return engine


async def _enter_wal(path: Path) -> None:
    """Readers beside the writer. The switch is lasting, and the one lock that SQLite does not wait for."""
    patience = time.monotonic() + _SECONDS_TO_WAIT
    while not await _entered_wal(path):
        if time.monotonic() > patience:
            raise _unreachable()
        await asyncio.sleep(0.02)


async def _entered_wal(path: Path) -> bool:
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        async with aiosqlite.connect(path) as connection:
            await connection.execute("PRAGMA journal_mode = WAL")
    except (sqlite3.Error, OSError) as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY":
            return False
        raise _unreachable() from error
    return True


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # Left to itself, sqlite3 begins late and read-only; upgrading such a transaction fails under load.
    if begin := connection.get_execution_options().get("ledger_begin", "BEGIN"):
        connection.exec_driver_sql(begin)


def _let_go(connection: Any, _record: object, _error: object) -> None:
    # A call that is cancelled has its connection closed, but SQLite keeps the lock for as long as
    # a cursor lives, and the traceback keeps the cursor.
    with suppress(sqlite3.Error):
        connection.rollback()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except StatementError as error:
        raise _fault(error) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise Unprocessable(_MISFIT) from error
    except ValueError as error:
        raise Unavailable("A row of the ledger cannot be read. Run `counterfoil audit verify`.") from error
    except (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _unreachable() from error


def _fault(error: StatementError) -> CounterfoilError:
    if isinstance(error.orig, CounterfoilError):
        return error.orig
    named = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
    if named in _NAMED:
        return _NAMED[named]()
    code = _code(error)
    if code in _FAULTS:
        return _FAULTS[code]()
    # Class 22 is "data exception" in SQL; asyncpg also checks values itself before it sends them.
    if code.startswith("22") or isinstance(getattr(error.orig, "__cause__", None), asyncpg.DataError):
        return Unprocessable(_MISFIT)
    return _unreachable()


def _code(error: StatementError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or "")


def _unreachable() -> LedgerUnavailable:
    return LedgerUnavailable(
        "The ledger's database does not answer. Check that DATABASE_URL is right, that the server runs and "
        "lets this user in, and that the disk is neither full nor read-only."
    )
