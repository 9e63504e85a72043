"""Runs: one piece of work on a thread, which outlives the connection that asked for it."""

from collections.abc import Collection

from sqlalchemy import bindparam, func, select, update

from tools.errors import Conflict, NotFound
from tools.ledger.messages import record
from tools.ledger.repository import Repository, insert
from tools.ledger.tables import runs
from tools.ledger.threads import lock_thread, touch
from tools.ledger.types import UNFINISHED, Json, Run, RunStatus, Said, ThreadStatus
from tools.safety.mask import mask

# Made once: building a statement takes longer than SQLite takes to answer it.
_BY_ID = select(runs).where(runs.c.id == bindparam("id"))
_UNFINISHED = select(runs).where(runs.c.status.in_(UNFINISHED)).order_by(runs.c.created, runs.c.id)
_UNFINISHED_OF = _UNFINISHED.where(runs.c.thread == bindparam("thread"))
_IS_UNFINISHED = _UNFINISHED_OF.with_only_columns(runs.c.id).limit(1)
_END = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.status.in_(UNFINISHED))
    .values(status=bindparam("status"), error=bindparam("error"), updated=bindparam("updated"))
)


class Runs(Repository):
    async def create_run(self, run_id: str, thread_id: str, assistant: str, payload: Json) -> Run:
        """Its thread is busy with it. The run as it is when asked again; Conflict when its thread is another."""
        now = self._now()
        row = {
            "id": run_id,
            "thread": thread_id,
            "assistant": assistant,
            "status": "pending",
            "payload": payload,
        }
        async with self._database.write() as connection:
            new = insert(connection, runs).on_conflict_do_nothing().returning(runs)
            made = (await connection.execute(new, row | {"created": now, "updated": now})).mappings().one_or_none()
            if made:
                await touch(connection, thread_id, "busy", now)
            run = Run(**(made or (await connection.execute(_BY_ID, {"id": run_id})).mappings().one()))
        if run.thread != thread_id:
            raise Conflict("This run belongs to another thread.")
        return run

    async def set_run(self, run_id: str, status: RunStatus, error: str | None = None) -> Run:
        """One that has ended is not under way again, whatever a worker says that slept through its end: `NotFound`."""
        error = mask(error).text if error else None
        changed = update(runs).where(runs.c.id == run_id).values(status=status, error=error, updated=self._now())
        if status in UNFINISHED:
            changed = changed.where(runs.c.status.in_(UNFINISHED))
        async with self._database.write() as connection:
            row = (await connection.execute(changed.returning(runs))).mappings().one_or_none()
        if row is None:
            raise NotFound
        return Run(**row)

    async def end_run(
        self, run_id: str, status: RunStatus, error: str | None, *, said: Collection[Said], rest: ThreadStatus
    ) -> bool:
        """How a run ended and what was said in it, all or nothing. The thread is at `rest` unless there is more to do.

        Returns whether there is. Raises `NotFound` when the run is not, or no more, under way.
        """
        now = self._now()
        error = mask(error).text if error else None
        async with self._database.write() as connection:
            run = (await connection.execute(_BY_ID, {"id": run_id})).mappings().one_or_none()
            if run is None:
                raise NotFound
            # First of all, so that a run that is created meanwhile is either seen below or finds the thread at rest.
            await lock_thread(connection, run["thread"])
            ended = {"run": run_id, "status": status, "error": error, "updated": now}
            if (await connection.execute(_END, ended)).rowcount != 1:
                raise NotFound
            await record(connection, run["thread"], said, now, run=run_id)
            more = await connection.scalar(_IS_UNFINISHED, {"thread": run["thread"]}) is not None
            await touch(connection, run["thread"], "busy" if more else rest, now)
        return more

    async def run(self, run_id: str) -> Run | None:
        async with self._database.look() as connection:
            row = (await connection.execute(_BY_ID, {"id": run_id})).mappings().one_or_none()
        return Run(**row) if row else None

    async def runs(self, thread_id: str, limit: int = 10, offset: int = 0) -> list[Run]:
        """Newest first."""
        wanted = select(runs).where(runs.c.thread == thread_id).order_by(runs.c.created.desc(), runs.c.id)
        async with self._database.look() as connection:
            rows = await connection.execute(wanted.limit(limit).offset(offset))
            return [Run(**row) for row in rows.mappings()]

    async def count_unfinished_runs(self) -> dict[RunStatus, int]:
        """By status, pending or running; one that there is none of is left out."""
        counted = (
            select(runs.c.status, func.count().label("number"))
            .where(runs.c.status.in_(UNFINISHED))
            .group_by(runs.c.status)
        )
        async with self._database.look() as connection:
            return {row.status: row.number for row in await connection.execute(counted)}

    async def unfinished_runs(self, thread_id: str | None = None) -> list[Run]:
        """Pending or running, oldest first: what a starting worker takes up. Of one thread, or of all."""
        wanted, of = (_UNFINISHED, {}) if thread_id is None else (_UNFINISHED_OF, {"thread": thread_id})
        async with self._database.look() as connection:
            return [Run(**row) for row in (await connection.execute(wanted, of)).mappings()]
