"""Brings a database to the newest schema, from empty or from any older release."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from tools.errors import ConfigurationError
from tools.ledger.database import Database

_FOLDER = Path(__file__).parent / "migrations"
_ADVISORY_KEY = 0x636F756E746572  # "counter", to tell our lock from other tenants of the server

# Alembic's `op` and `context` are globals of the process, so two databases cannot be migrated at once.
_busy = threading.Lock()


async def migrate(database: Database) -> None:
    """One transaction under the database's own lock: of many that start together, one does the work."""
    async with _alone(), database.write() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY})
        try:
            await connection.run_sync(_upgrade)
        except CommandError as error:
            raise ConfigurationError(
                "The ledger was written by a newer release than this one. Start that release, or a newer one."
            ) from error


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    while not _busy.acquire(blocking=False):  # noqa: ASYNC110 - an asyncio.Event is bound to one loop
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        _busy.release()


def _upgrade(connection: Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
