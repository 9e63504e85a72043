"""The transcript: every line that the customer can see, once and in order."""

from collections.abc import Collection

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.ledger.repository import Repository
from tools.ledger.tables import messages
from tools.ledger.threads import lock_thread
from tools.ledger.types import Json, Message, Role


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
        row = {
            "thread": thread_id,
            "id": message_id,
            "role": role,
            "author": author,
            "text": text,
            "run": run,
        }
        async with self._database.write() as connection:
            await lock_thread(connection, thread_id)
            kept = await _row(connection, thread_id, message_id)
            if kept is None:
                place = {"sequence": await _next(connection, thread_id), "created": self._now()}
                recorded = messages.insert().values(row | place | {"extra": extra or {}}).returning(messages)
                kept = (await connection.execute(recorded)).mappings().one()
        return Message(**kept)

    async def messages(self, thread_id: str, *, after: int = 0, last: int | None = None) -> list[Message]:
        """In the order said: those whose sequence is above `after`, and of them the `last` ones; None for all."""
        wanted = select(messages).where(messages.c.thread == thread_id, messages.c.sequence > after)
        async with self._database.read() as connection:
            rows = await connection.execute(wanted.order_by(messages.c.sequence.desc()).limit(last))
            return [Message(**row) for row in rows.mappings()][::-1]

    async def recorded(self, thread_id: str, ids: Collection[str]) -> set[str]:
        """Which of these ids of messages are taken on the thread."""
        wanted = select(messages.c.id).where(messages.c.thread == thread_id, messages.c.id.in_(ids))
        async with self._database.read() as connection:
            return set((await connection.execute(wanted)).scalars())


async def _row(connection: AsyncConnection, thread_id: str, message_id: str) -> RowMapping | None:
    wanted = select(messages).where(messages.c.thread == thread_id, messages.c.id == message_id)
    return (await connection.execute(wanted)).mappings().one_or_none()


async def _next(connection: AsyncConnection, thread_id: str) -> int:
    last = select(func.max(messages.c.sequence)).where(messages.c.thread == thread_id)
    return (await connection.scalar(last) or 0) + 1
