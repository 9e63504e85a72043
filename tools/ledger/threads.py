"""Conversations: whose they are and what they are doing."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, bindparam, delete, func, literal, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import NotFound, Unprocessable
from tools.ledger.digest import canonical
from tools.ledger.repository import Repository, insert
from tools.ledger.tables import threads
from tools.ledger.types import Json, Thread, ThreadStatus

TEMPORARY = "temporary"
"""In the metadata of a thread that goes with its run."""
_BY_ID = select(threads).where(threads.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update()
_TOUCH = (
    update(threads)
    .where(threads.c.id == bindparam("thread"))
    .values(status=bindparam("status"), updated=bindparam("updated"))
)
SortBy = Literal["created", "updated", "status", "id"]


class Threads(Repository):
    async def create_thread(self, thread_id: str, owner: str, metadata: Json) -> Thread:
        """The thread as it is when its owner asks again; NotFound when it is another's."""
        now = self._now()
        row = {"id": thread_id, "owner": owner, "status": "idle", "metadata": metadata}
        async with self._database.write() as connection:
            new = insert(connection, threads).on_conflict_do_nothing().returning(threads)
            made = (await connection.execute(new, row | {"created": now, "updated": now})).mappings().one_or_none()
            thread = Thread(**made) if made else await _one(connection, thread_id)
        if thread.owner != owner:
            raise NotFound
        return thread

    async def thread(self, thread_id: str) -> Thread | None:
        async with self._database.look() as connection:
            row = await _row(connection, thread_id)
        return Thread(**row) if row else None

    async def search_threads(
        self,
        *,
        owner: str | None = None,
        status: ThreadStatus | None = None,
        metadata: Json | None = None,
        ids: Collection[str] | None = None,
        sort_by: SortBy = "created",
        ascending: bool = False,
        limit: int = 10,
        offset: int = 0,
    ) -> list[Thread]:
        """Newest first, unless told otherwise. `metadata` must hold for each of its keys, by equality."""
        column = threads.c[sort_by]
        order = column.asc() if ascending else column.desc()
        wanted = select(threads).where(*self._matching(owner, status, metadata, ids))
        async with self._database.look() as connection:
            found = await connection.execute(wanted.order_by(order, threads.c.id).limit(limit).offset(offset))
            return [Thread(**row) for row in found.mappings()]

    async def count_threads(
        self,
        *,
        owner: str | None = None,
        status: ThreadStatus | None = None,
        metadata: Json | None = None,
        ids: Collection[str] | None = None,
    ) -> int:
        """As many as `search_threads` would find without a limit."""
        wanted = select(func.count()).select_from(threads).where(*self._matching(owner, status, metadata, ids))
        async with self._database.look() as connection:
            return int(await connection.scalar(wanted) or 0)

    async def temporary_threads(self, *, before: datetime, since: datetime | None = None) -> list[Thread]:
        """Those that go with their run and were at rest by `before`, of all that began after `since`."""
        wanted = select(threads).where(threads.c.updated < before, threads.c.status != "busy")
        wanted = wanted.where(*self._matching(None, None, {TEMPORARY: True}, None))
        if since is not None:
            wanted = wanted.where(threads.c.created >= since)
        async with self._database.look() as connection:
            return [Thread(**row) for row in (await connection.execute(wanted)).mappings()]

    def _matching(
        self, owner: str | None, status: ThreadStatus | None, metadata: Json | None, ids: Collection[str] | None
    ) -> Iterator[ColumnElement[bool]]:
        if owner is not None:
            yield threads.c.owner == owner
        if status is not None:
            yield threads.c.status == status
        if ids is not None:
            yield threads.c.id.in_(ids)
        for key, value in (metadata or {}).items():
            yield _says(self._database.sqlite, key, value)

    async def set_thread(
        self, thread_id: str, *, status: ThreadStatus | None = None, metadata: Json | None = None
    ) -> Thread:
        """`metadata` is laid over what is there, key by key; the other keys stay."""
        async with self._database.write() as connection:
            thread = await _one(connection, thread_id, lock=True)
            changes = {
                "status": status or thread.status,
                "metadata": thread.metadata | (metadata or {}),
                "updated": self._now(),
            }
            await connection.execute(update(threads).where(threads.c.id == thread_id).values(changes))
            return await _one(connection, thread_id)

    async def delete_thread(self, thread_id: str) -> None:
        """With its runs, messages, identity, tickets and feedback. Actions, receipts and promises stay."""
        async with self._database.write() as connection:
            await connection.execute(delete(threads).where(threads.c.id == thread_id))


async def touch(connection: AsyncConnection, thread_id: str, status: ThreadStatus, now: datetime) -> None:
    await connection.execute(_TOUCH, {"thread": thread_id, "status": status, "updated": now})


async def lock_thread(connection: AsyncConnection, thread_id: str) -> None:
    """One writer at a time for what is numbered within a thread."""
    await _one(connection, thread_id, lock=True)


async def _row(connection: AsyncConnection, thread_id: str, *, lock: bool = False) -> RowMapping | None:
    result = await connection.execute(_LOCK if lock else _BY_ID, {"id": thread_id})
    return result.mappings().one_or_none()


async def _one(connection: AsyncConnection, thread_id: str, *, lock: bool = False) -> Thread:
    row = await _row(connection, thread_id, lock=lock)
    if row is None:
        raise NotFound
    return Thread(**row)


def _says(sqlite: bool, key: str, value: Any) -> ColumnElement[bool]:
    if '"' in key or "\\" in key:
        raise Unprocessable("A key of metadata holds no quotes and no backslashes.")
    if sqlite:
        # Both sides are canonical text: it was written so, and SQLite's `->` cuts out what it holds.
        return threads.c.metadata.op("->")(literal(f'$."{key}"')) == literal(canonical(value).decode())
    return type_coerce(threads.c.metadata, JSONB)[key] == type_coerce(value, JSONB)
