"""Who the server has bound to a thread, and until when."""

from dataclasses import asdict
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, select

from tools.ledger.audit import append, naming
from tools.ledger.repository import Repository, insert
from tools.ledger.tables import audit, identities
from tools.ledger.types import Identity


class Identities(Repository):
    async def bind_identity(
        self,
        thread_id: str,
        *,
        level: Literal[0, 1, 2],
        email: str | None,
        customer: str | None,
        ttl_seconds: float,
    ) -> Identity:
        """Replaces what was bound before. The e-mail stays out of the audit log, which is never erased."""
        now = self._now()
        bound = Identity(
            thread=thread_id,
            level=level,
            email=email,
            customer=customer,
            verified_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
        )
        async with self._database.write() as connection:
            row = asdict(bound)
            statement = insert(connection, identities).values(row)
            await connection.execute(statement.on_conflict_do_update(index_elements=["thread"], set_=row))
            noted = {"thread": thread_id, "level": level, "customer": customer}
            await append(connection, now, "identity.bound", noted)
        return bound

    async def identity(self, thread_id: str) -> Identity:
        """Level 0 when nobody is bound, or the binding has run out."""
        async with self._database.look() as connection:
            bound = select(identities).where(identities.c.thread == thread_id, identities.c.expires_at > self._now())
            row = (await connection.execute(bound)).mappings().one_or_none()
        return Identity(**row) if row else _anonymous(thread_id)

    async def proved_address(self, thread_id: str) -> str | None:
        """That of the customer who is bound, or was until it ran out: a code may go there again unasked."""
        async with self._database.look() as connection:
            proved = select(identities.c.email).where(
                identities.c.thread == thread_id, identities.c.customer.is_not(None)
            )
            found: str | None = await connection.scalar(proved)
        return found

    async def was_ever_bound(self, thread_id: str) -> bool:
        """Also when the binding ran out or was taken back: the audit log knows of all."""
        async with self._database.read() as connection:
            kept = await connection.scalar(select(identities.c.thread).where(identities.c.thread == thread_id))
            noted = select(audit.c.sequence).where(audit.c.event == "identity.bound", naming(thread_id)).limit(1)
            return kept is not None or await connection.scalar(noted) is not None

    async def unbind_identity(self, thread_id: str) -> None:
        async with self._database.write() as connection:
            gone = await connection.execute(delete(identities).where(identities.c.thread == thread_id))
            if gone.rowcount:
                await append(connection, self._now(), "identity.unbound", {"thread": thread_id})


def _anonymous(thread_id: str) -> Identity:
    return Identity(thread=thread_id, level=0, email=None, customer=None, verified_at=None, expires_at=None)
