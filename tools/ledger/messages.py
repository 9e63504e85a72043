"""The transcript: every line that the customer can see, once and in order."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.ledger.repository import Repository
from tools.ledger.tables import messages
from tools.ledger.threads import lock_thread
from tools.ledger.types import Json, Message, Role, Said

_BY_ID = select(messages).where(messages.c.thread == bindparam("thread"), messages.c.id == bindparam("id"))
_TAKEN = select(messages.c.id).where(
    messages.c.thread == bindparam("thread"), messages.c.id.in_(bindparam("ids", expanding=True))
)
_LAST = select(func.max(messages.c.sequence)).where(messages.c.thread == bindparam("thread"))
_RECORD = messages.insert()


class Messages(Repository):
    async def record_message(
        self,
        thread_id: str,
        message_id: str,
        role: Role,
        author: str,
        text: str,
        *,
        run: str | None = None,
        extra: Json | None = None,
    ) -> Message:
        """The first telling stays: the same id on the same thread gives back what was recorded."""
        said = Said(id=message_id, role=role, author=author, text=text, extra=extra or {})
        async with self._database.write() as connection:
            await lock_thread(connection, thread_id)
            await record(connection, thread_id, [said], self._now(), run=run)
            place = {"thread": thread_id, "id": message_id}
            return Message(**(await connection.execute(_BY_ID, place)).mappings().one())

    async def messages(self, thread_id: str, *, after: int = 0, last: int | None = None) -> list[Message]:
        """In the order said: those whose sequence is above `after`, and of them the `last` ones; None for all."""
        wanted = select(messages).where(messages.c.thread == thread_id, messages.c.sequence > after)
        async with self._database.look() as connection:
            rows = await connection.execute(wanted.order_by(messages.c.sequence.desc()).limit(last))
            return [Message(**row) for row in rows.mappings()][::-1]

    async def recorded(self, thread_id: str, ids: Collection[str]) -> set[str]:
        """Which of these ids of messages are taken on the thread."""
        async with self._database.look() as connection:
            return await _taken(connection, thread_id, ids)


async def record(
    connection: AsyncConnection, thread_id: str, said: Collection[Said], now: datetime, *, run: str | None
) -> None:
    """Within a transaction that has the thread locked. What is recorded already stays as it is."""
    if not said:
        return
    taken = await _taken(connection, thread_id, [line.id for line in said])
    new = [line for line in said if line.id not in taken]
    if not new:
        return
    last = await connection.scalar(_LAST, {"thread": thread_id}) or 0
    placed = ({"thread": thread_id, "run": run, "created": now, "sequence": last + n} for n in range(1, len(new) + 1))
    await connection.execute(_RECORD, [place | asdict(line) for place, line in zip(placed, new, strict=True)])


async def _taken(connection: AsyncConnection, thread_id: str, ids: Collection[str]) -> set[str]:
    return set((await connection.execute(_TAKEN, {"thread": thread_id, "ids": list(ids)})).scalars())
