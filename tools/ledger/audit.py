"""The audit log: append-only, each entry holding the hash of the one before it.

Whoever may write to the database could still rebuild the whole chain: keep a head's hash somewhere else
from time to time, and what lies before it is beyond their reach too.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import CounterfoilError
from tools.ledger.digest import canonical, iso, plain, sha256_of
from tools.ledger.repository import Repository
from tools.ledger.tables import audit, audit_head
from tools.ledger.types import AuditEntry, Json
from tools.safety.deep import mask_deep


class AuditBroken(CounterfoilError):
    """An entry was changed, removed or slipped in; `sequence` is the first place that does not fit."""

    code = "audit_broken"

    def __init__(self, sequence: int) -> None:
        super().__init__(f"The audit log does not hold together at entry {sequence}.")
        self.sequence = sequence


class Audit(Repository):
    async def audit(self, event: str, /, **data: Any) -> AuditEntry:
        """Without secrets: what is written here stays."""
        async with self._database.write() as connection:
            return await append(connection, self._now(), event, data)

    async def audit_entries(self, after: int = 0, limit: int = 100) -> list[AuditEntry]:
        wanted = select(audit).where(audit.c.sequence > after).order_by(audit.c.sequence).limit(limit)
        async with self._database.read() as connection:
            return [_entry(row) for row in (await connection.execute(wanted)).mappings()]

    async def audit_entry(self, sequence: int) -> AuditEntry | None:
        async with self._database.read() as connection:
            found = await connection.execute(select(audit).where(audit.c.sequence == sequence))
            row = found.mappings().one_or_none()
        return _entry(row) if row else None

    async def audit_about(self, *ids: str, limit: int = 200) -> list[AuditEntry]:
        """The newest `limit` entries that name any of these ids, wherever they name it; with none, of all. In order."""
        named = [naming(name) for name in ids]
        wanted = select(audit).where(or_(*named)) if named else select(audit)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(audit.c.sequence.desc()).limit(limit))).mappings()
            return [_entry(row) for row in rows][::-1]

    async def verify_audit(self) -> int:
        """Entries checked, from the first to the head; raises AuditBroken at the first that does not fit."""
        async with self._database.read() as connection:
            head = (await connection.execute(select(audit_head))).one()
            checked, previous = 0, ""
            chain = select(audit).where(audit.c.sequence <= head.sequence).order_by(audit.c.sequence)
            async for row in (await connection.stream(chain)).mappings():
                checked += 1
                if not _fits(row, checked, previous):
                    raise AuditBroken(checked)
                previous = row["hash"]
            if checked < head.sequence:
                raise AuditBroken(checked + 1)
            if previous != head.hash:
                raise AuditBroken(checked)
            await _nothing_beyond_the_head(connection)
        return checked


def naming(name: str) -> ColumnElement[bool]:
    """Whether an entry names this id, wherever it does."""
    return audit.c.data.contains(canonical(name).decode(), autoescape=True)


async def append(connection: AsyncConnection, at: datetime, event: str, data: Json) -> AuditEntry:
    """Within the caller's transaction. The head is locked last of all rows, so writers cannot deadlock."""
    data = mask_deep(plain(data))
    head = (await connection.execute(select(audit_head).with_for_update())).one()
    sequence, moment = head.sequence + 1, iso(at)
    body = {"sequence": sequence, "at": moment, "event": event, "data": data, "previous": head.hash}
    digest = sha256_of(body)
    await connection.execute(audit.insert().values(body | {"data": canonical(data).decode(), "hash": digest}))
    await connection.execute(update(audit_head).values(sequence=sequence, hash=digest))
    return AuditEntry(**(body | {"at": datetime.fromisoformat(moment), "hash": digest}))


async def genuine_entry(connection: AsyncConnection, sequence: int) -> AuditEntry | None:
    """The entry at that place, under a hash that is its own."""
    row = (await connection.execute(select(audit).where(audit.c.sequence == sequence))).mappings().one_or_none()
    return _entry(row) if row is not None and _fits(row, sequence, row["previous"]) else None


async def _nothing_beyond_the_head(connection: AsyncConnection) -> None:
    head = select(audit_head.c.sequence).scalar_subquery()
    first = await connection.scalar(select(func.min(audit.c.sequence)).where(audit.c.sequence > head))
    if first is not None:
        raise AuditBroken(first)


def _fits(row: RowMapping, sequence: int, previous: str) -> bool:
    try:
        data = json.loads(row["data"])
    except ValueError:
        return False
    body = {"sequence": sequence, "at": row["at"], "event": row["event"], "data": data, "previous": previous}
    return bool(
        (row["sequence"], row["previous"], row["hash"]) == (sequence, previous, sha256_of(body))
        and row["data"].encode() == canonical(data)
    )


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(**{**row, "at": datetime.fromisoformat(row["at"]), "data": json.loads(row["data"])})
