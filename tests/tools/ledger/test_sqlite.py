"""What the loop does itself, and what it hands to the connection's thread."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tools.ledger.sqlite import ROWS_AT_ONCE, Connection, connect

LONG = """
    SELECT count(*) FROM (
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i FROM n
    )
""".strip()
ROWS = "SELECT i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n)"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Connection]:
    async with connect(str(tmp_path / "x.db"), isolation_level=None) as opened:
        await opened.create_function("thread", 0, threading.get_ident)
        await opened.execute("CREATE TABLE t (a)")
        assert isinstance(opened, Connection)
        yield opened


async def answer(db: Connection, query: str) -> list[tuple[int]]:
    cursor = await db.cursor()
    await cursor.execute(query)
    return [tuple(row) for row in await cursor.fetchall()]


async def test_a_query_and_new_rows_stay_in_the_loop(db: Connection) -> None:
    here = threading.get_ident()
    assert await answer(db, "SELECT thread()") == [(here,)]
    await db.execute("INSERT INTO t VALUES (thread())")
    assert await answer(db, "SELECT a FROM t") == [(here,)]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE t SET a = thread()", "INSERT INTO t SELECT thread()", "DELETE FROM t WHERE thread() = 0"],
)
async def test_what_may_take_its_time_goes_to_the_thread(
    db: Connection, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = []
    in_thread = db._in_thread

    async def noted(fn: Any, *args: Any) -> Any:
        gone.append(args[0])
        return await in_thread(fn, *args)

    monkeypatch.setattr(db, "_in_thread", noted)
    await db.execute(statement)
    assert gone == [statement]


async def test_many_rows_go_to_the_thread(db: Connection) -> None:
    await db.executemany("INSERT INTO t VALUES (thread() + ?)", [(0,)] * (ROWS_AT_ONCE + 1))
    assert threading.get_ident() not in {row[0] for row in await answer(db, "SELECT a FROM t")}


@pytest.mark.parametrize(("query", "rows", "last"), [(LONG, 1, 300_000), (ROWS, 60_000, 60_000)])
async def test_a_query_that_turns_out_to_be_long_is_done_whole_in_the_thread(
    db: Connection, query: str, rows: int, last: int
) -> None:
    given = db._given
    found = await answer(db, query)
    assert (len(found), found[-1]) == (rows, (last,))
    assert db._given > given
    assert await answer(db, "SELECT 1") == [(1,)]


async def test_a_long_query_leaves_its_transaction_as_it_is(db: Connection) -> None:
    await db.execute("BEGIN IMMEDIATE")
    await db.execute("INSERT INTO t VALUES (1)")
    assert await answer(db, LONG) == [(300_000,)]
    await db.commit()
    assert await answer(db, "SELECT a FROM t") == [(1,)]


async def test_the_loop_waits_for_a_call_that_was_given_up(db: Connection) -> None:
    """SQLite would let both at the connection at once, in the middle of each other's statements."""
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> int:
        begun.set()
        return int(go_on.wait(5))

    await db.create_function("wait", 0, wait)
    await db.execute("INSERT INTO t VALUES (0)")
    call = asyncio.create_task(db.execute("UPDATE t SET a = wait()"))
    await asyncio.to_thread(begun.wait)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    query = asyncio.create_task(answer(db, "SELECT a FROM t"))
    await asyncio.sleep(0.05)
    assert not query.done()
    go_on.set()
    assert await query == [(1,)]
