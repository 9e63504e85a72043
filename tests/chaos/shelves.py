"""Ledgers that are emptied under open connections, faster than a new one is made: on SQLite and on PostgreSQL."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import asyncpg

from tests.fixtures.keys import KEYS
from tools.ledger.ledger import Ledger
from tools.ledger.tables import metadata

MEMORY = Path("/dev/shm")  # noqa: S108 - a ledger in memory, in a folder of its own with a name that nobody guesses


class Shelf(Protocol):
    url: str

    def empty(self) -> None:
        """Everything is gone, and the schema stays. Nobody may be in a transaction."""
        ...


class SQLiteShelf:
    def __init__(self, folder: Path) -> None:
        self._new, self._file = folder / "new.db", folder / "ledger.db"
        self.url = f"sqlite:///{self._file}"
        asyncio.run(_migrate(f"sqlite:///{self._new}"))
        shutil.copyfile(self._new, self._file)

    def empty(self) -> None:
        with closing(sqlite3.connect(self._new)) as new, closing(sqlite3.connect(self._file)) as used:
            new.backup(used)


class PostgreSQLShelf:
    def __init__(self, server: str) -> None:
        name = f"chaos_{uuid4().hex}"
        self.url = f"{server}/{name}"
        asyncio.run(_do(f"{server}/postgres", f"CREATE DATABASE {name}"))
        asyncio.run(_migrate(self.url))

    def empty(self) -> None:
        """What is append-only refuses to be emptied, except for who is told that he only copies."""
        tables = [table.name for table in metadata.sorted_tables if table.name != "audit_head"]
        emptied = (f'DELETE FROM "{name}"' for name in tables)  # noqa: S608 - names of our own tables
        head = "UPDATE audit_head SET sequence = 0, hash = ''"
        asyncio.run(_do(self.url, "; ".join(("SET session_replication_role = replica", *emptied, head))))


@contextmanager
def sqlite_shelf() -> Iterator[SQLiteShelf]:
    in_memory = os.access(MEMORY, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-chaos-", dir=MEMORY if in_memory else None))
    try:
        yield SQLiteShelf(folder)
    finally:
        shutil.rmtree(folder)


async def _migrate(url: str) -> None:
    async with Ledger.open(url, keys=KEYS):
        pass


async def _do(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
