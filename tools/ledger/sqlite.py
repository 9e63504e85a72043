"""SQLite for an event loop: what is quick is done at once, what may take its time in the connection's thread.

aiosqlite sends each call to a thread and back, four for one statement. That costs more than a look into an index does,
and under load the loop and ten threads fight for Python's lock. Here no query leaves the loop unless it turns out to be
long: then SQLite itself breaks it off, and the thread does it anew. New rows are put in at once, too. What changes or
deletes rows, and what may wait for another writer or for the disk, always goes to the thread.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

STEPS_AT_ONCE = 10_000
"""Of SQLite's machine: about a millisecond."""
ROWS_AT_ONCE = 20


class Connection(aiosqlite.Connection):
    """As its base. The one thing of it that is not public is `_execute`, by which every call goes to the thread."""

    _given = 0
    """Calls that were handed to the thread, of which it is through with `_done`."""
    _done = 0
    _can_wait = False
    """Whether it is a query that SQLite is at just now, in the loop."""
    _is_writing = False
    _query: tuple[Any, ...] | None = None
    """What was asked in the loop and is not fetched yet: the cursor's `execute`, and its arguments."""

    async def _connect(self) -> "Connection":
        await super()._connect()
        self._conn.set_progress_handler(lambda: self._can_wait, STEPS_AT_ONCE)
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None or self._given != self._done or not self._is_quick(fn, args):
            return await self._in_thread(fn, *args, **kwargs)
        self._can_wait = self._query is not None
        try:
            return fn(*args, **kwargs)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT or self._query is None:
                raise
        finally:
            self._can_wait = False
        execute, *asked = self._query
        if fn.__name__ == "fetchall":
            await self._in_thread(execute, *asked)
        return await self._in_thread(fn, *args, **kwargs)

    def _is_quick(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        match fn.__name__:
            case "execute" | "executemany":
                return self._is_quick_statement(fn, args)
            case "fetchall":
                return True
            case "rollback":
                return not self._is_writing
            case name:
                return name == "cursor" or (name == "close" and isinstance(_owner(fn), sqlite3.Cursor))

    def _is_quick_statement(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        text = args[0]
        # A query of the connection's own makes a cursor of its own, which could not be asked anew.
        is_query = text.startswith("SELECT") and isinstance(_owner(fn), sqlite3.Cursor)
        self._query = (fn, *args) if is_query else None
        if text.startswith("BEGIN"):
            self._is_writing = text != "BEGIN"
            return not self._is_writing
        if text.startswith("INSERT") and "VALUES" in text:
            return fn.__name__ == "execute" or len(args[1]) <= ROWS_AT_ONCE
        return is_query

    async def _in_thread(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def counted() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._done += 1  # by the thread alone, and also when nobody waits for it any more

        self._given += 1
        return await super()._execute(counted)  # type: ignore[no-untyped-call]


def _owner(method: Callable[..., Any]) -> Any:
    return getattr(method, "__self__", None)


def connect(database: str, **options: Any) -> Connection:
    """For `async_creator_fn` of SQLAlchemy's dialect; `options` are those of `sqlite3.connect`."""
    options["check_same_thread"] = False
    connection = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with a connection that it opens itself
    return connection
