"""What customers were told will happen, and by when."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update

from tools.errors import NotFound
from tools.ledger.digest import sha256_of
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import promises
from tools.ledger.types import Json, Promise


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
        kept = func.coalesce(promises.c.kept_at, self._now())
        kept_now = update(promises).where(promises.c.id == promise_id).values(kept_at=kept)
        async with self._database.write() as connection:
            row = (await connection.execute(kept_now.returning(promises))).mappings().one_or_none()
        if row is None:
            raise NotFound
        return Promise(**row)

    async def promises(self, *, thread: str | None = None, action: str | None = None) -> list[Promise]:
        """Soonest due first."""
        wanted = {promises.c.thread: thread, promises.c.action: action}
        return await self._select(*(column == value for column, value in wanted.items() if value is not None))

    async def overdue_promises(self, now: datetime) -> list[Promise]:
        """Due before `now` and not kept, longest overdue first."""
        return await self._select(promises.c.kept_at.is_(None), promises.c.due < now)

    async def _select(self, *conditions: ColumnElement[bool]) -> list[Promise]:
        wanted = select(promises).where(*conditions).order_by(promises.c.due, promises.c.id)
        async with self._database.read() as connection:
            return [Promise(**row) for row in (await connection.execute(wanted)).mappings()]
