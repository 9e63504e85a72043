"""Whether the details of an action were erased, and what the audit log says that was left of it."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.ledger.audit import genuine_entry
from tools.ledger.repository import Repository
from tools.ledger.tables import redactions

REDACTED = "action.erased"
"""The audit log's entry of it."""


@dataclass(frozen=True, kw_only=True)
class Redaction:
    digest: str
    """The one that people agreed to, of the action as it was."""
    left: str
    """Of the action as it is now."""
    receipt_left: str | None
    """Of its receipt's body as it is now."""


class Redactions(Repository):
    async def redaction(self, action_id: str) -> Redaction | None:
        """None while its details are there, and when the audit log does not bear it out."""
        async with self._database.read() as connection:
            return await redaction_of(connection, action_id)


async def is_redacted(connection: AsyncConnection, action_id: str) -> bool:
    found = select(redactions.c.action).where(redactions.c.action == action_id)
    return (await connection.execute(found)).first() is not None


async def redaction_of(connection: AsyncConnection, action_id: str) -> Redaction | None:
    place = await connection.scalar(select(redactions.c.audited).where(redactions.c.action == action_id))
    entry = await genuine_entry(connection, place) if place else None
    if entry is None or entry.event != REDACTED or entry.data.get("action") != action_id:
        return None
    said = entry.data
    return Redaction(digest=said["digest"], left=said["left"], receipt_left=said["receipt_left"])
