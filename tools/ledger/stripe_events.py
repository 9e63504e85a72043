"""The inbox of Stripe's events: each is written down once, and worked off once, whoever is killed meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update

from tools.ledger.audit import append
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import stripe_events
from tools.ledger.types import InboxEvent, Json, StripeEventState

Note = tuple[str, Json]
"""Name and data of an entry in the audit log."""


class StripeEvents(Repository):
    async def record_stripe_event(
        self,
        event_id: str,
        *,
        type_: str,
        created: datetime,
        kind: str,
        object_: str | None,
        customer: str | None = None,
        quarantined: str | None = None,
    ) -> bool:
        """True when it is new: this is what tells duplicates. `quarantined`: why nobody shall act on it."""
        now = self._now()
        row = {
            "id": event_id,
            "type": type_,
            "created": created,
            "kind": kind,
            "object": object_,
            "customer": customer,
            "state": "quarantined" if quarantined else "received",
            "note": quarantined or "",
            "attempts": 0,
            "due": now,
            "received_at": now,
        }
        async with self._database.write() as connection:
            return await insert_once(connection, stripe_events, row)

    async def claim_stripe_event(self, event_id: str, *, lease: timedelta) -> InboxEvent | None:
        """Counts an attempt. None when it is done with, or somebody's for as long as their lease lasts."""
        now = self._now()
        mine = (stripe_events.c.id == event_id, stripe_events.c.state == "received", stripe_events.c.due <= now)
        claimed = update(stripe_events).where(*mine)
        changes = {"attempts": stripe_events.c.attempts + 1, "due": now + lease}
        async with self._database.write() as connection:
            done = await connection.execute(claimed.values(changes).returning(stripe_events))
            row = done.mappings().one_or_none()
        return InboxEvent(**row) if row else None

    async def settle_stripe_event(
        self, event_id: str, state: StripeEventState, note: str = "", *, audit: Iterable[Note] = ()
    ) -> bool:
        """Ends it, with what the audit log shall say of it. False, and nothing written, when it had ended already."""
        now = self._now()
        waiting = (stripe_events.c.id == event_id, stripe_events.c.state == "received")
        ended = update(stripe_events).where(*waiting).values(state=state, note=note, processed_at=now)
        async with self._database.write() as connection:
            if (await connection.execute(ended)).rowcount != 1:
                return False
            for name, data in audit:
                await append(connection, now, name, data)
        return True

    async def put_off_stripe_event(self, event_id: str, *, until: datetime, note: str) -> None:
        """To be tried again."""
        waiting = (stripe_events.c.id == event_id, stripe_events.c.state == "received")
        async with self._database.write() as connection:
            await connection.execute(update(stripe_events).where(*waiting).values(due=until, note=note))

    async def stripe_event(self, event_id: str) -> InboxEvent | None:
        wanted = select(stripe_events).where(stripe_events.c.id == event_id)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).mappings().one_or_none()
        return InboxEvent(**row) if row else None

    async def unprocessed_stripe_events(self, *, limit: int = 100) -> list[InboxEvent]:
        """Those that wait and are due, longest due first."""
        due = (stripe_events.c.state == "received", stripe_events.c.due <= self._now())
        wanted = select(stripe_events).where(*due).order_by(stripe_events.c.due, stripe_events.c.id).limit(limit)
        async with self._database.read() as connection:
            return [InboxEvent(**row) for row in (await connection.execute(wanted)).mappings()]
