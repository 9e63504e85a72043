import asyncio
import socket
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import an_action, behind_its_back
from tools.errors import ConfigurationError, Unavailable, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.url import parse


@pytest.mark.parametrize(
    ("written", "driven"),
    [
        ("sqlite:////var/lib/l.db", "sqlite+aiosqlite:////var/lib/l.db"),
        ("sqlite:///l.db", "sqlite+aiosqlite:///l.db"),
        ("sqlite+aiosqlite:////l.db", "sqlite+aiosqlite:////l.db"),
        ("postgres://u:p%40@h/d", "postgresql+asyncpg://u:p%40@h/d"),
        ("postgresql://u@h:5433/d", "postgresql+asyncpg://u@h:5433/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
        ("postgres://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
    ],
)
def test_addresses_get_their_asyncio_driver(written: str, driven: str) -> None:
    assert driven == parse(written).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://h/d", "postgresql+psycopg2://h/d", "sqlite://", "sqlite:///:memory:", "http://[h"],
)
async def test_an_address_that_cannot_hold_a_ledger_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"DATABASE_URL|sqlite:////"):
        async with Ledger.open(url, keys=KEYS):
            pass


async def test_no_error_tells_the_password() -> None:
    for url in ("postgres://u:hunter2@127.0.0.1:1/d", "mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d"):
        with pytest.raises((ConfigurationError, Unavailable)) as refused:
            async with Ledger.open(url, keys=KEYS):
                pass
        assert "hunter2" not in "".join(traceback.format_exception(refused.value))


async def test_a_server_that_is_not_there_is_unavailable_and_says_what_to_check() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(Unavailable, match="DATABASE_URL"):
            async with Ledger.open(f"postgresql://u@127.0.0.1:{port}/d", keys=KEYS):
                pass


async def test_a_database_that_is_not_there_is_unavailable(postgres_server: str) -> None:
    with pytest.raises(Unavailable, match="DATABASE_URL"):
        async with Ledger.open(f"{postgres_server}/nowhere", keys=KEYS):
            pass


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    file.write_text("this is a letter to my aunt, and long enough to be taken for a header of something")
    with pytest.raises(Unavailable):
        async with Ledger.open(f"sqlite:///{file}", keys=KEYS):
            pass
    with pytest.raises(Unavailable):
        async with Ledger.open(f"sqlite:///{file}/below/ledger.db", keys=KEYS):
            pass


async def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    async with Ledger.open(f"sqlite:///{tmp_path}/a/b/ledger.db", keys=KEYS) as ledger:
        await ledger.ping()
    assert (tmp_path / "a" / "b" / "ledger.db").exists()


async def test_ping_answers_while_the_ledger_is_there(ledger: Ledger) -> None:
    await ledger.ping()
    await behind_its_back(ledger, "ALTER TABLE audit_head RENAME TO elsewhere")
    with pytest.raises(Unavailable):
        await ledger.ping()


async def test_connections_that_the_server_dropped_are_replaced(postgres_url: str) -> None:
    async with Ledger.open(postgres_url, keys=KEYS) as ledger, Ledger.open(postgres_url, keys=KEYS) as other:
        await asyncio.gather(*(ledger.audit("thing") for _ in range(5)))
        await behind_its_back(
            other,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        await ledger.audit("thing")
        assert await ledger.verify_audit() == 6


async def test_what_postgres_cannot_hold_is_refused_in_words_of_ours(postgres_url: str) -> None:
    async with Ledger.open(postgres_url, keys=KEYS) as ledger:
        with pytest.raises(Unprocessable):
            await ledger.create_thread("t", "nul \0 in text", {})
        with pytest.raises(Unprocessable):
            await ledger.create_thread("t", "owner", {"in JSONB": "nul \0"})
        assert await ledger.search_threads() == []


async def test_a_transaction_that_raises_leaves_nothing(ledger: Ledger) -> None:
    async def broken() -> None:
        async with ledger._database.write() as connection:
            await connection.execute(text("INSERT INTO counters VALUES ('x', 1)"))
            raise KeyError

    with pytest.raises(KeyError):
        await broken()
    async with ledger._database.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM counters")) == 0


async def test_a_call_that_is_cancelled_leaves_the_ledger_usable(ledger: Ledger) -> None:
    """A cancelled call once kept SQLite's write lock for as long as anybody held its traceback."""
    calls = []
    for pause in range(40):
        calls.append(asyncio.create_task(ledger.propose_action(an_action(id=f"cancelled-{pause}"))))
        await asyncio.sleep(pause / 5000)
        calls[-1].cancel()
        async with asyncio.timeout(10):
            await ledger.propose_action(an_action(id=f"after-{pause}"))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(answer, asyncio.CancelledError) for answer in answers)
    proposed = [entry.data["action"] for entry in await ledger.audit_entries()]
    assert sorted(proposed) == sorted(action.id for action in await ledger.actions(limit=100))
    assert await ledger.verify_audit() == len(proposed) >= 40


async def test_many_readers_and_writers_at_once_get_along(ledger: Ledger) -> None:
    await ledger.create_thread("t", "owner", {})
    writing = [ledger.record_message("t", f"m{n}", "customer", "owner", "x") for n in range(30)]
    reading = [ledger.messages("t") for n in range(60)]
    await asyncio.gather(*writing, *reading)
    assert len(await ledger.messages("t")) == 30


async def test_sqlite_is_set_up_to_share_and_to_last(tmp_path: Path) -> None:
    async with (
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db", keys=KEYS) as ledger,
        ledger._database.read() as connection,
    ):
        pragmas = {
            name: await connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "busy_timeout": 15000, "foreign_keys": 1, "synchronous": 2}


DIE = """
import asyncio, os, sys
from sqlalchemy import text
from tests.fixtures.keys import KEYS
from tools.ledger.ledger import Ledger

async def main():
    async with Ledger.open(sys.argv[1], keys=KEYS) as ledger:
        await ledger.move_action("action-1", "confirmed", actor="customer")
        async with ledger._database.write() as connection:
            await connection.execute(text("UPDATE actions SET state = 'executing'"))
            os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_a_process_killed_in_mid_transaction_leaves_what_it_had_committed(ledger: Ledger, url: str) -> None:
    await ledger.propose_action(an_action())
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", DIE, url], check=False)
    assert killed.returncode == -9
    action = await ledger.action("action-1")
    assert action is not None
    assert action.state == "confirmed"
    assert [event.state for event in await ledger.action_events("action-1")] == ["proposed", "confirmed"]
    assert (await ledger.begin_action("action-1", "key-1")).state == "executing"
    assert await ledger.verify_audit() == 4
