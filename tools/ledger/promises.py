"""What customers were told will happen, and by when."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from tools.errors import NotFound
from tools.ledger.audit import append
from tools.ledger.digest import sha256_of
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import actions, promises
from tools.ledger.transitions import ENDED
from tools.ledger.types import Json, Promise

_OPEN = promises.c.kept_at.is_(None) & promises.c.dropped_at.is_(None)


class Promises(Repository):
    async def promise(self, thread_id: str, kind: str, text: str, due: datetime, action: str | None = None) -> Promise:
        """Idempotent: one of each kind for an action; without one, per thread, kind, text and due."""
        said: Json = {"thread": thread_id, "kind": kind}
        said |= {"action": action} if action else {"text": text, "due": due}
        row = {"thread": thread_id, "action": action, "kind": kind, "text": text, "due": due}
        promise_id = f"promise_{sha256_of(said)[:32]}"
        async with self._database.write() as connection:
            await insert_once(connection, promises, row | {"id": promise_id})
            kept = await connection.execute(select(promises).where(promises.c.id == promise_id))
            return Promise(**kept.mappings().one())

    async def keep_promise(self, promise_id: str) -> Promise:
        """Kept once: the first time stays."""
        return await self._mark(promise_id, "kept")

    async def drop_promise(self, promise_id: str) -> Promise:
        """Nothing is owed any more. One that was kept stays kept."""
        return await self._mark(promise_id, "dropped")

    async def miss_promise(self, promise_id: str) -> Promise:
        """Its time is over, and that was seen. It can still be kept, late."""
        return await self._mark(promise_id, "overdue")

    async def promises(self, *, thread: str | None = None, action: str | None = None) -> list[Promise]:
        """Soonest due first."""
        wanted = {promises.c.thread: thread, promises.c.action: action}
        return await self._select(*(column == value for column, value in wanted.items() if value is not None))

    async def due_promises(self, now: datetime, *, limit: int = 100) -> list[Promise]:
        """Open, due at `now` or before, and not seen as overdue yet: soonest due first."""
        return await self._select(_OPEN, promises.c.overdue_at.is_(None), promises.c.due <= now, limit=limit)

    async def coming_promises(self, now: datetime, *, limit: int = 100) -> list[Promise]:
        """Open and due at `now` or later: soonest due first."""
        return await self._select(_OPEN, promises.c.due >= now, limit=limit)

    async def overdue_promises(self, now: datetime) -> list[Promise]:
        """Open and due before `now`, longest overdue first."""
        return await self._select(_OPEN, promises.c.due < now)

    async def promises_of_ended(self, kind: str, *, limit: int = 100) -> list[Promise]:
        """Open ones of this kind whose actions are at their end, whenever they are due."""
        over = select(actions.c.id).where(actions.c.state.in_(ENDED))
        return await self._select(_OPEN, promises.c.kind == kind, promises.c.action.in_(over), limit=limit)

    async def _mark(self, promise_id: str, what: str) -> Promise:
        """With an entry in the audit log, the first time."""
        now, column = self._now(), promises.c[f"{what}_at"]
        free = (promises.c.id == promise_id, column.is_(None), promises.c.kept_at.is_(None))
        async with self._database.write() as connection:
            marked = await connection.execute(update(promises).where(*free).values({column: now}))
            found = await connection.execute(select(promises).where(promises.c.id == promise_id))
            row = found.mappings().one_or_none()
            if row is None:
                raise NotFound
            if marked.rowcount:
                noted = {"promise": promise_id, "thread": row["thread"], "action": row["action"], "kind": row["kind"]}
                await append(connection, now, f"promise.{what}", noted)
        return Promise(**row)

    async def _select(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Promise]:
        wanted = select(promises).where(*conditions).order_by(promises.c.due, promises.c.id).limit(limit)
        async with self._database.read() as connection:
            return [Promise(**row) for row in (await connection.execute(wanted)).mappings()]
