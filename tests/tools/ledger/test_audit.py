import asyncio
import hashlib
from typing import Any

import pytest
from sqlalchemy import text

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import START, an_action, behind_its_back, drop_guards
from tools.errors import CounterfoilError, Unprocessable
from tools.ledger.audit import AuditBroken
from tools.ledger.ledger import Ledger
from tools.money import Money

ROWS = 4


@pytest.fixture
async def chain(ledger: Ledger) -> Ledger:
    """Four entries in a database whose guards somebody has taken down."""
    for number in range(ROWS):
        await ledger.audit("thing.happened", number=number, nested={"a": [number]})
    await drop_guards(ledger, "audit")
    await drop_guards(ledger, "audit_head")
    return ledger


async def broken_at(ledger: Ledger) -> int:
    with pytest.raises(AuditBroken) as broken:
        await ledger.verify_audit()
    return broken.value.sequence


async def test_an_empty_log_verifies(ledger: Ledger) -> None:
    assert await ledger.verify_audit() == 0


async def test_each_entry_holds_the_hash_of_the_one_before(ledger: Ledger) -> None:
    first = await ledger.audit("refund.executed", amount=Money(4900, "usd"), at_night=True, share=0.1)
    second = await ledger.audit("ümläut")
    body = (
        '{"at":"2026-11-23T09:00:00Z","data":{"amount":{"amount":4900,"currency":"usd"},"at_night":true,'
        '"share":0.1},"event":"refund.executed","previous":"","sequence":1}'
    )
    assert hashlib.sha256(body.encode()).hexdigest() == first.hash
    assert (first.sequence, first.previous, first.at) == (1, "", START)
    assert (2, first.hash) == (second.sequence, second.previous)
    assert [first, second] == await ledger.audit_entries()
    assert [second] == await ledger.audit_entries(after=1)
    assert [first] == await ledger.audit_entries(limit=1)
    assert await ledger.verify_audit() == 2


async def test_what_cannot_be_written_leaves_no_trace(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.audit("thing", data=object())
    assert await ledger.verify_audit() == 0
    assert (await ledger.audit("thing")).sequence == 1


async def test_many_writers_at_once_make_one_chain(ledger: Ledger, url: str) -> None:
    async with Ledger.open(url, keys=KEYS) as another:
        written = ((ledger, another)[n % 2].audit("thing", n=n) for n in range(30))
        entries = await asyncio.gather(*written)
    assert set(range(1, 31)) == {entry.sequence for entry in entries}
    assert await ledger.verify_audit() == 30


TAMPERED: list[tuple[str, Any]] = [
    ("at", "2026-11-23T09:00:01Z"),
    ("at", "nonsense"),
    ("event", "thing.happend"),
    ("data", '{"nested":{"a":[0]},"number":7}'),
    ("data", '{"nested": {"a": [0]}, "number": 0}'),
    ("data", "nonsense"),
    ("previous", "0" * 64),
    ("hash", "0" * 64),
    ("sequence", 77),
]


@pytest.mark.parametrize(("column", "value"), TAMPERED)
async def test_a_change_to_any_column_of_any_row_is_found_at_that_row(chain: Ledger, column: str, value: Any) -> None:
    for row in range(1, ROWS + 1):
        where = value if column == "sequence" else row
        kept = await one_value(chain, column, row)
        await set_value(chain, column, value, row)
        assert row == await broken_at(chain)
        await set_value(chain, column, kept, where)
        assert await chain.verify_audit() == ROWS


async def one_value(ledger: Ledger, column: str, row: int) -> Any:
    async with ledger._database.read() as connection:
        return await connection.scalar(text(f"SELECT {column} FROM audit WHERE sequence = {row}"))  # noqa: S608 - the columns are ours


async def set_value(ledger: Ledger, column: str, value: Any, row: int) -> None:
    await behind_its_back(ledger, f"UPDATE audit SET {column} = :value WHERE sequence = {row}", value=value)  # noqa: S608 - the columns are ours


@pytest.mark.parametrize("row", range(1, ROWS + 1))
async def test_a_row_that_was_removed_is_missed(chain: Ledger, row: int) -> None:
    await behind_its_back(chain, "DELETE FROM audit WHERE sequence = :row", row=row)
    assert row == await broken_at(chain)


async def test_two_rows_that_changed_places_are_found(chain: Ledger) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        await set_value(chain, "sequence", new, old)
    assert await broken_at(chain) == 2


async def test_a_row_slipped_in_at_the_end_is_found(chain: Ledger) -> None:
    await behind_its_back(
        chain,
        "INSERT INTO audit SELECT sequence + 1, at, event, data, hash, hash FROM audit WHERE sequence = 4",
    )
    assert await broken_at(chain) == 5


async def test_a_tail_that_was_cut_off_is_missed_even_when_all_else_fits(chain: Ledger) -> None:
    await behind_its_back(chain, "DELETE FROM audit WHERE sequence > 2")
    assert await broken_at(chain) == 3


async def test_a_head_that_was_changed_is_found(chain: Ledger) -> None:
    await behind_its_back(chain, "UPDATE audit_head SET hash = 'x'")
    assert await broken_at(chain) == ROWS
    await behind_its_back(chain, "UPDATE audit_head SET sequence = 3")
    assert await broken_at(chain) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET event = event",
        "DELETE FROM audit",
        "UPDATE audit_head SET hash = 'x'",
        "UPDATE audit_head SET sequence = 0, hash = ''",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head VALUES (2, 0, '')",
    ],
)
async def test_the_database_itself_refuses_to_rewrite_the_log(ledger: Ledger, statement: str) -> None:
    await ledger.audit("thing")
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, statement)
    assert await ledger.verify_audit() == 1


async def test_postgres_refuses_to_truncate_the_log(postgres_url: str) -> None:
    async with Ledger.open(postgres_url, keys=KEYS) as ledger:
        await ledger.propose_action(an_action())
        for table in ("audit CASCADE", "action_events", "audit_head"):
            with pytest.raises(CounterfoilError):
                await behind_its_back(ledger, f"TRUNCATE {table}")
        assert await ledger.verify_audit() == 1
