import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

import tools
from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import Clock, behind_its_back, bring_to, take_step
from tools.errors import ConfigurationError
from tools.ledger.ledger import Ledger
from tools.ledger.tables import metadata


def shape(connection: Connection) -> dict[str, Any]:
    """Everything that an inspector sees in each table."""
    found = inspect(connection)
    looks = (
        found.get_columns,
        found.get_pk_constraint,
        found.get_foreign_keys,
        found.get_unique_constraints,
        found.get_check_constraints,
        found.get_indexes,
    )
    return {table: [spelled(look(table)) for look in looks] for table in metadata.tables}


def spelled(part: Any) -> Any:
    match part:
        case dict():
            return {key: spelled(value) for key, value in part.items()}
        case list():
            return sorted((spelled(item) for item in part), key=str)
        case _:
            return str(part)


def rebuild(connection: Connection) -> None:
    metadata.drop_all(connection)
    metadata.create_all(connection)


async def test_migrations_from_empty_make_the_tables_that_the_code_declares(ledger: Ledger) -> None:
    async with ledger._database.read() as connection:
        migrated = await connection.run_sync(shape)
        await connection.run_sync(rebuild)
        assert await connection.run_sync(shape) == migrated


async def test_a_second_open_finds_everything_as_it_was_left(url: str, clock: Clock) -> None:
    async with Ledger.open(url, clock=clock, keys=KEYS) as ledger:
        thread = await ledger.create_thread("thread-1", "owner", {"a": 1})
        action = await bring_to(ledger, "awaiting_approval", outcome="needs_approval")
        await ledger.audit("thing")
    async with Ledger.open(url, clock=clock, keys=KEYS) as ledger:
        assert thread == await ledger.thread("thread-1")
        assert action == await ledger.action(action.id)
        assert await ledger.verify_audit() == 4
        approved = await take_step(ledger, action, "approved")
        assert approved.state == "approved"
        assert await ledger.verify_audit() == 6


async def test_a_ledger_of_the_first_release_is_brought_up_with_what_it_holds(url: str, clock: Clock) -> None:
    async with Ledger.open(url, clock=clock, keys=KEYS) as ledger:
        action = await bring_to(ledger, "succeeded")
        for undo in (
            *_undo_release_6(ledger),
            *_undo_release_5(ledger),
            "DROP TABLE service_keys",
            *_undo_release_3(ledger),
            "DROP TABLE stripe_events",
            "DROP TABLE refund_outcomes",
            "DROP INDEX ix_actions_target",
            "DROP INDEX ix_effects_stripe_id",
            "UPDATE alembic_version SET version_num = '0001'",
        ):
            await behind_its_back(ledger, undo)
    async with Ledger.open(url, clock=clock, keys=KEYS) as ledger:
        assert action == await ledger.action(action.id)
        assert "failed" == (await ledger.note_refund("re_1", action=action.id, state="failed")).state


def _undo_release_6(ledger: Ledger) -> tuple[str, ...]:
    sqlite = ledger._database.sqlite
    return (
        *(f"DROP TRIGGER {name}_not_after_erasure{'' if sqlite else f' ON {name}'}" for name in ("threads", "actions")),
        *(() if sqlite else ("DROP FUNCTION ledger_new_threads", "DROP FUNCTION ledger_new_actions")),
        "DROP TABLE redactions",
        "DROP TABLE erasures",
        "DROP INDEX ix_threads_updated",
        "DROP INDEX ix_identities_customer",
    )


def _undo_release_5(ledger: Ledger) -> tuple[str, ...]:
    tables = ("actions", "receipts", "approvals", "assessments", "action_events")
    return tuple(
        f"DROP TRIGGER {name}_keeps_its_words{'' if ledger._database.sqlite else f' ON {name}'}" for name in tables
    )


def _undo_release_3(ledger: Ledger) -> tuple[str, ...]:
    on = {name: "" if ledger._database.sqlite else f" ON {name}" for name in ("actions", "approvals")}
    functions = () if ledger._database.sqlite else ("ledger_moves", "ledger_approves")
    return (
        f"DROP TRIGGER actions_move_by_the_table{on['actions']}",
        f"DROP TRIGGER actions_keep_who_asked{on['actions']}",
        f"DROP TRIGGER approvals_by_another{on['approvals']}",
        "DROP TABLE approvals",
        "DROP TABLE assessments",
        "DROP TABLE switches",
        *(f"DROP FUNCTION {name}" for name in functions),
        "DROP INDEX uq_actions_live_target",
        *(f"ALTER TABLE actions DROP COLUMN {name}" for name in ("proposer", "approvals_needed", "deadline")),
        *(f"ALTER TABLE promises DROP COLUMN {name}" for name in ("overdue_at", "dropped_at")),
    )


async def test_many_may_open_an_empty_database_at_once(url: str) -> None:
    async def start(number: int) -> None:
        async with Ledger.open(url, keys=KEYS) as ledger:
            await ledger.audit("started", number=number)

    await asyncio.gather(*(start(number) for number in range(5)))
    async with Ledger.open(url, keys=KEYS) as ledger:
        assert await ledger.verify_audit() == 5


START = """
import asyncio, sys
from tests.fixtures.keys import KEYS
from tools.ledger.ledger import Ledger

async def main():
    async with Ledger.open(sys.argv[1], keys=KEYS) as ledger:
        await ledger.audit("started")

sys.stdin.readline()
asyncio.run(main())
"""


async def test_processes_that_start_together_migrate_once(url: str, tmp_path: Path) -> None:
    """In a working directory that is not the repository: nothing is looked up there."""
    home = Path(tools.__file__).parent.parent
    started = [
        subprocess.Popen(  # noqa: ASYNC220 - it must run beside us, not before us
            [sys.executable, "-c", START, url],
            stdin=subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(home)},
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [await asyncio.to_thread(process.wait) for process in started] == [0, 0, 0]
    async with Ledger.open(url, keys=KEYS) as ledger:
        assert await ledger.verify_audit() == 3


async def test_a_database_of_a_newer_release_is_left_alone(url: str) -> None:
    async with Ledger.open(url, keys=KEYS) as ledger:
        await behind_its_back(ledger, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer release"):
        async with Ledger.open(url, keys=KEYS):
            pass
