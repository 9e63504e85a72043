"""What policy was asked and what it said, of requests that came to something and of those that did not."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from tools.ledger.audit import append
from tools.ledger.digest import plain, sha256_of
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import assessments
from tools.ledger.types import Assessment, Json

Step = Literal["proposal", "execution"]


class Assessments(Repository):
    async def record_assessment(self, case: str, thread: str, step: Step, *, request: Json, verdict: Json) -> None:
        """Idempotent: the same words about the same case are one row. `verdict` is a policy `Verdict` as JSON."""
        said: Json = {"case": case, "step": step, "request": request, "verdict": verdict}
        brief = {name: verdict[name] for name in ("outcome", "rule", "policy_version")}
        now = self._now()
        row = {**said, **brief, "request": plain(request), "verdict": plain(verdict), "thread": thread, "at": now}
        async with self._database.write() as connection:
            if await insert_once(connection, assessments, row | {"id": sha256_of(said)}):
                await append(connection, now, "policy.evaluated", {"case": case, "step": step, **brief})

    async def assessments_of(self, case: str) -> list[Assessment]:
        """Oldest first."""
        wanted = select(assessments).where(assessments.c.case == case).order_by(assessments.c.at, assessments.c.id)
        async with self._database.read() as connection:
            return [Assessment(**row) for row in (await connection.execute(wanted)).mappings()]

    async def each_assessment(self, *, since: datetime, until: datetime) -> AsyncIterator[Assessment]:
        """Of proposals, oldest first, streamed: a year of them need not fit into memory."""
        proposed = (assessments.c.step == "proposal", assessments.c.at >= since, assessments.c.at < until)
        wanted = select(assessments).where(*proposed).order_by(assessments.c.at, assessments.c.id)
        async with self._database.read() as connection:
            async for row in (await connection.stream(wanted)).mappings():
                yield Assessment(**row)
