"""Runs: one piece of work on a thread, which outlives the connection that asked for it."""

from sqlalchemy import select, update

from tools.errors import Conflict, NotFound
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import runs
from tools.ledger.types import Json, Run, RunStatus
from tools.safety.mask import mask


class Runs(Repository):
    async def create_run(self, run_id: str, thread_id: str, assistant: str, payload: Json) -> Run:
        """The run as it is when asked again; Conflict when the id runs on another thread."""
        now = self._now()
        row = {
            "id": run_id,
            "thread": thread_id,
            "assistant": assistant,
            "status": "pending",
            "payload": payload,
        }
        async with self._database.write() as connection:
            await insert_once(connection, runs, row | {"created": now, "updated": now})
            kept = (await connection.execute(select(runs).where(runs.c.id == run_id))).mappings().one()
        if kept["thread"] != thread_id:
            raise Conflict("This run belongs to another thread.")
        return Run(**kept)

    async def set_run(self, run_id: str, status: RunStatus, error: str | None = None) -> Run:
        error = mask(error).text if error else None
        changed = update(runs).where(runs.c.id == run_id).values(status=status, error=error, updated=self._now())
        async with self._database.write() as connection:
            row = (await connection.execute(changed.returning(runs))).mappings().one_or_none()
        if row is None:
            raise NotFound
        return Run(**row)

    async def run(self, run_id: str) -> Run | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(runs).where(runs.c.id == run_id))).mappings().one_or_none()
        return Run(**row) if row else None

    async def runs(self, thread_id: str, limit: int = 10, offset: int = 0) -> list[Run]:
        """Newest first."""
        wanted = select(runs).where(runs.c.thread == thread_id).order_by(runs.c.created.desc(), runs.c.id)
        async with self._database.read() as connection:
            rows = await connection.execute(wanted.limit(limit).offset(offset))
            return [Run(**row) for row in rows.mappings()]

    async def unfinished_runs(self, thread_id: str | None = None) -> list[Run]:
        """Pending or running, oldest first: what a starting worker takes up. Of one thread, or of all."""
        wanted = select(runs).where(runs.c.status.in_(("pending", "running"))).order_by(runs.c.created, runs.c.id)
        if thread_id is not None:
            wanted = wanted.where(runs.c.thread == thread_id)
        async with self._database.read() as connection:
            return [Run(**row) for row in (await connection.execute(wanted)).mappings()]
