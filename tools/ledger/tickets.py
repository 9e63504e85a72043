"""The desk's queue: conversations handed to a person."""

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import Conflict, NotFound
from tools.ledger.audit import append
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import tickets
from tools.ledger.types import Json, Ticket, TicketState
from tools.safety.deep import mask_deep
from tools.safety.mask import mask

_OPEN = ("waiting", "claimed")
_FIELDS = [column for column in tickets.c if column is not tickets.c.place]

_READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that nobody mistakes for one another over the phone."""


class Tickets(Repository):
    async def open_ticket(self, thread_id: str, reason: str, packet: Json) -> Ticket:
        """The one that is waiting or claimed already, if the thread has one."""
        now = self._now()
        told = mask_deep({"reason": reason, "packet": packet})
        row = {"thread": thread_id, "state": "waiting", "note": "", **told}
        new = row | {"id": _number(), "created": now, "updated": now}
        async with self._database.write() as connection:
            opened = await insert_once(connection, tickets, new)
            ticket = await _first(connection, _open_of(thread_id))
            if ticket is None:
                raise Conflict
            if opened:
                await _note(connection, now, "opened", ticket)
        return ticket

    async def ticket(self, ticket_id: str) -> Ticket | None:
        async with self._database.read() as connection:
            return await _first(connection, select(*_FIELDS).where(tickets.c.id == ticket_id))

    async def ticket_of(self, thread_id: str) -> Ticket | None:
        """The open one: waiting or claimed."""
        async with self._database.read() as connection:
            return await _first(connection, _open_of(thread_id))

    async def tickets(self, *, state: TicketState | None = None, limit: int = 50) -> list[Ticket]:
        """Oldest first."""
        wanted = select(*_FIELDS).order_by(tickets.c.place).limit(limit)
        if state is not None:
            wanted = wanted.where(tickets.c.state == state)
        async with self._database.read() as connection:
            return [Ticket(**row) for row in (await connection.execute(wanted)).mappings()]

    async def queue_position(self, ticket_id: str) -> int:
        """1 for the next to be taken; 0 when the ticket does not wait any more."""
        async with self._database.read() as connection:
            mine = (
                await connection.execute(select(tickets.c.place, tickets.c.state).where(tickets.c.id == ticket_id))
            ).one_or_none()
            if mine is None:
                raise NotFound
            if mine.state != "waiting":
                return 0
            ahead = select(func.count()).where(tickets.c.state == "waiting", tickets.c.place <= mine.place)
            return (await connection.execute(ahead)).scalar_one()

    async def claim_ticket(self, ticket_id: str, agent: str) -> Ticket:
        """Conflict when another person has it, or it is done with."""
        return await self._move(ticket_id, "claimed", tickets.c.state == "waiting", agent)

    async def return_ticket(self, ticket_id: str, agent: str, note: str) -> Ticket:
        """Gives the conversation back to the assistant; only who claimed it can."""
        held = (tickets.c.state == "claimed") & (tickets.c.claimed_by == agent)
        return await self._move(ticket_id, "returned", held, agent, note=mask(note).text)

    async def close_ticket(self, ticket_id: str) -> Ticket:
        return await self._move(ticket_id, "closed", tickets.c.state != "closed")

    async def _move(
        self,
        ticket_id: str,
        to: TicketState,
        allowed: ColumnElement[bool],
        agent: str | None = None,
        **changes: str,
    ) -> Ticket:
        """Compare and set. Where it stands already, by the same person, there is nothing to do."""
        now = self._now()
        who = {} if agent is None else {"claimed_by": agent}
        moved = update(tickets).where(tickets.c.id == ticket_id, allowed)
        async with self._database.write() as connection:
            done = await connection.execute(moved.values(state=to, updated=now, **who, **changes))
            ticket = await _first(connection, select(*_FIELDS).where(tickets.c.id == ticket_id))
            if ticket is None:
                raise NotFound
            if done.rowcount:
                await _note(connection, now, to, ticket)
            elif ticket.state != to or agent not in (None, ticket.claimed_by):
                raise Conflict(_held(ticket))
        return ticket


def _open_of(thread_id: str) -> Select[tuple[object, ...]]:
    return select(*_FIELDS).where(tickets.c.thread == thread_id, tickets.c.state.in_(_OPEN))


async def _first(connection: AsyncConnection, wanted: Select[tuple[object, ...]]) -> Ticket | None:
    row = (await connection.execute(wanted)).mappings().one_or_none()
    return Ticket(**row) if row else None


async def _note(connection: AsyncConnection, at: datetime, change: str, ticket: Ticket) -> None:
    """Without the reason, which may be the customer's own words: the audit log is never erased."""
    data = {"ticket": ticket.id, "thread": ticket.thread, "agent": ticket.claimed_by}
    await append(connection, at, f"ticket.{change}", data)


def _held(ticket: Ticket) -> str:
    if ticket.state == "claimed":
        return f"{ticket.claimed_by} has this conversation."
    return f"This ticket is {ticket.state}."


def _number() -> str:
    """`T-7KQ2M4XN`: short enough to say, of 10¹¹ and more, so that none can be guessed or comes twice."""
    return "T-" + "".join(secrets.choice(_READABLE) for _ in range(8))
