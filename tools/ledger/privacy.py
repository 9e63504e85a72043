"""What is kept about a customer: found, told, and erased.

A conversation is erased in one transaction: its rows go, and what has to stay for the books (actions, effects,
receipts, audit log) keeps sums, days and ids alone, with an entry in the audit log that says what is left of each.
docs/decisions/0012 has the reasons.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Column, Table, Update, delete, exists, func, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import Conflict
from tools.ledger.actions import find, move
from tools.ledger.audit import append, naming
from tools.ledger.digest import own_digest, plain, sha256_of
from tools.ledger.erasing import ERASED, receipt_without_details, without_details
from tools.ledger.people import is_person
from tools.ledger.redactions import REDACTED, is_redacted
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import (
    action_events,
    actions,
    approvals,
    assessments,
    audit,
    effects,
    erasures,
    feedback,
    identities,
    messages,
    promises,
    receipts,
    redactions,
    refund_outcomes,
    runs,
    stripe_events,
    threads,
    tickets,
)
from tools.ledger.transitions import LIVE
from tools.ledger.types import Action, Json

VOUCHED = "user_"
"""Owners of this kind are one person, whom the host site has named."""
_OF_A_THREAD = (messages, runs, identities, tickets, feedback, promises)
_OF_AN_ACTION = (action_events, approvals, effects, receipts, refund_outcomes)
_AT_ONCE = 400
"""Fewer than SQLite takes parameters in one statement, in any of its releases."""


class UnderWay(Conflict):
    """Something that the customer agreed to has not come to its end."""

    code = "under_way"
    default = "Something that was agreed to in this conversation is still under way. Erase it when that is done."


class Privacy(Repository):
    async def customers_known_as(self, email: str) -> set[str]:
        """To whom threads were bound under this address. Every binding is read, for the address may be sealed."""
        return {customer for _, customer in await self._bound_as(email) if customer}

    async def threads_of(self, customers: Collection[str], email: str | None = None) -> list[str]:
        """Conversations in which one of `customers` was bound, or acted, or proved `email`; and all others of those
        owners whom the host site vouches for. Also such as were deleted, when something done in them is on record.
        """
        found = {thread for thread, _ in await self._bound_as(email)} if email else set()
        async with self._database.read() as connection:
            for customer in customers:
                bound = select(identities.c.thread).where(identities.c.customer == customer)
                acted = select(actions.c.thread).where(actions.c.customer == customer)
                found.update((await connection.execute(union(bound, acted))).scalars())
                found.update(await _once_bound(connection, customer))
            owned = select(threads.c.owner).distinct().where(threads.c.owner.startswith(VOUCHED, autoescape=True))
            for part in _parts(found):
                owners = (await connection.execute(owned.where(threads.c.id.in_(part)))).scalars().all()
                theirs = select(threads.c.id).where(threads.c.owner.in_(owners))
                found = found | set((await connection.execute(theirs)).scalars())
        return sorted(found)

    async def kept_about(self, customers: Collection[str], threads_: Collection[str]) -> Json:
        """Every row about them, by table, as JSON; audit entries that name them, their threads, actions or receipts."""
        async with self._database.read() as connection:
            mine = await _ids(connection, actions, actions.c.customer, customers)
            kept: Json = {"threads": await _rows(connection, threads, threads.c.id, threads_)}
            for table in (*_OF_A_THREAD, assessments):
                kept[table.name] = await _rows(connection, table, table.c.thread, threads_)
            kept["actions"] = await _rows(connection, actions, actions.c.id, mine)
            for table in _OF_AN_ACTION:
                kept[table.name] = await _rows(connection, table, table.c.action, mine)
            kept["stripe_events"] = await _rows(connection, stripe_events, stripe_events.c.customer, customers)
            kept["erasures"] = await _rows(connection, erasures, erasures.c.thread, threads_)
            ids = {*customers, *threads_, *mine, *(receipt["number"] for receipt in kept["receipts"])}
            kept["audit"] = await _audit_about(connection, ids)
        return kept

    async def standing_in_the_way(self, threads_: Collection[str]) -> list[Action]:
        """What was agreed to in these threads and is not at its end, and plans with instalments to come."""
        async with self._database.read() as connection:
            return [one for thread in threads_ for one in await _under_way(connection, thread)]

    async def erase_thread(self, thread_id: str, *, actor: str, customers: Collection[str] | None = None) -> Json:
        """Counts of what went. Once more changes nothing. Raises `UnderWay`, and nothing is erased then.

        `customers`: whose actions lose their details, if not everybody's; somebody else may have used the thread too.
        """
        now = self._now()
        async with self._database.write() as connection:
            await connection.execute(select(threads.c.id).where(threads.c.id == thread_id).with_for_update())
            if await _under_way(connection, thread_id):
                raise UnderWay
            # The audit log's head is locked last of all rows, so that writers cannot deadlock: first what goes.
            first = await insert_once(connection, erasures, {"thread": thread_id, "actor": actor, "at": now})
            counts = {table.name: await _count(connection, table, thread_id) for table in _OF_A_THREAD[:-1]}
            await connection.execute(_drop_promises(thread_id, now))
            await connection.execute(delete(threads).where(threads.c.id == thread_id))
            done = await _done_in(connection, thread_id, customers)
            counts["actions"] = sum([await _redact(connection, action, now) for action in done])
            if first or any(counts.values()):
                await append(connection, now, "privacy.erased", {"thread": thread_id, "actor": actor, "rows": counts})
        return counts

    async def cases_of(self, thread_id: str) -> list[str]:
        """Ids of what was asked for in it, also of what policy denied."""
        asked = select(assessments.c.case).where(assessments.c.thread == thread_id)
        done = select(actions.c.id).where(actions.c.thread == thread_id)
        async with self._database.read() as connection:
            return sorted((await connection.execute(union(asked, done))).scalars())

    async def uncleared_erasures(self, *, limit: int = 1000) -> list[tuple[str, datetime]]:
        """Threads that were erased here and perhaps not in Redis, and when; the longest ago first."""
        waiting = select(erasures.c.thread, erasures.c.at).where(erasures.c.cleared.is_(None))
        async with self._database.read() as connection:
            found = await connection.execute(waiting.order_by(erasures.c.at).limit(limit))
            return [(row.thread, row.at) for row in found]

    async def note_cleared(self, thread_id: str) -> None:
        here = update(erasures).where(erasures.c.thread == thread_id, erasures.c.cleared.is_(None))
        async with self._database.write() as connection:
            await connection.execute(here.values(cleared=self._now()))

    async def idle_threads(self, before: datetime, *, after: str = "", limit: int = 100) -> list[str]:
        """In the order of their ids, beyond `after`: nothing was said in them since `before`. Also deleted ones, of
        whose actions the details are still there.
        """
        idle = select(threads.c.id.label("id")).where(threads.c.updated < before)
        gone = select(actions.c.thread.label("id")).where(
            actions.c.updated < before,
            ~exists().where(threads.c.id == actions.c.thread),
            ~exists().where(redactions.c.action == actions.c.id),
        )
        both = union(idle, gone).subquery()
        wanted = select(both.c.id).where(both.c.id > after).order_by(both.c.id).limit(limit)
        async with self._database.read() as connection:
            return list((await connection.execute(wanted)).scalars())

    async def forget_stripe_events(self, before: datetime) -> int:
        """How many: received before then, and done with, whatever came of them."""
        over = (stripe_events.c.received_at < before, stripe_events.c.state != "received")
        async with self._database.write() as connection:
            return (await connection.execute(delete(stripe_events).where(*over))).rowcount

    async def _bound_as(self, email: str) -> set[tuple[str, str | None]]:
        bound = select(identities.c.thread, identities.c.customer, identities.c.email)
        wanted, found = email.strip().casefold(), set()
        async with self._database.read() as connection:
            async for row in await connection.stream(bound.where(identities.c.email.is_not(None))):
                if row.email.strip().casefold() == wanted:
                    found.add((row.thread, row.customer))
        return found


async def _once_bound(connection: AsyncConnection, customer: str) -> set[str]:
    """A binding is replaced by the next one; the audit log knows of all."""
    bound = select(audit.c.data).where(audit.c.event == "identity.bound", naming(customer))
    rows = await connection.execute(bound)
    return {str(data["thread"]) for data in map(_parsed, rows.scalars()) if data.get("customer") == customer}


async def _under_way(connection: AsyncConnection, thread_id: str) -> list[Action]:
    unreceipted = (actions.c.state == "succeeded") & ~exists().where(receipts.c.action == actions.c.id)
    instalments = promises.c.kind.startswith("instalment") & promises.c.kept_at.is_(None)
    to_come = exists().where(promises.c.action == actions.c.id, instalments, promises.c.dropped_at.is_(None))
    going_on = or_(actions.c.state.in_(LIVE), unreceipted, to_come)
    wanted = select(actions.c.id).where(actions.c.thread == thread_id, going_on).order_by(actions.c.created)
    return [await find(connection, one) for one in (await connection.execute(wanted)).scalars().all()]


async def _done_in(connection: AsyncConnection, thread_id: str, customers: Collection[str] | None) -> list[Action]:
    ids = await _ids(connection, actions, actions.c.thread, [thread_id])
    found = [await find(connection, one, lock=True) for one in ids]
    return [one for one in found if customers is None or one.customer in customers]


async def _redact(connection: AsyncConnection, action: Action, now: datetime) -> int:
    """1 when there was anything left to take out. What was only proposed ends by it."""
    if action.state == "proposed":
        action = await move(connection, action, "void", actor="code", reason="the conversation was erased", now=now)
    if await is_redacted(connection, action.id):
        return 0
    left = replace(action, details=without_details(action.details), evidence=without_details(action.evidence))
    receipt = (
        (await connection.execute(select(receipts).where(receipts.c.action == action.id))).mappings().one_or_none()
    )
    body = receipt_without_details(receipt["body"]) if receipt else None
    said = {
        "action": action.id,
        "digest": action.digest,
        "left": own_digest(left),
        "receipt": receipt["number"] if receipt else None,
        "receipt_left": sha256_of(body) if receipt else None,
    }
    entry = await append(connection, now, REDACTED, said)
    await connection.execute(redactions.insert().values(action=action.id, audited=entry.sequence))
    changes = {"details": left.details, "evidence": left.evidence}
    await connection.execute(update(actions).where(actions.c.id == action.id).values(changes))
    if receipt:
        await connection.execute(update(receipts).where(receipts.c.action == action.id).values(body=body))
    await _silence(connection, action_events, action_events.c.actor, action.id)
    await _silence(connection, approvals, approvals.c.agent, action.id)
    return 1


async def _silence(connection: AsyncConnection, table: Table, who: Column[str], action_id: str) -> None:
    """What people wrote is taken out; what code gave as a reason stays."""
    said = select(who).distinct().where(table.c.action == action_id, table.c.reason != "")
    people = [actor for actor in (await connection.execute(said)).scalars() if is_person(actor)]
    theirs = (table.c.action == action_id, who.in_(people), table.c.reason != "")
    await connection.execute(update(table).where(*theirs).values(reason=ERASED))


def _drop_promises(thread_id: str, now: datetime) -> Update:
    """Of an answer in the conversation. What is owed of an action is looked after without one, too."""
    open_ones = (promises.c.kept_at.is_(None), promises.c.dropped_at.is_(None), promises.c.action.is_(None))
    return update(promises).where(promises.c.thread == thread_id, *open_ones).values(dropped_at=now)


async def _ids(connection: AsyncConnection, table: Table, column: Column[str], values: Iterable[str]) -> list[str]:
    found: set[str] = set()
    for part in _parts(values):
        found.update((await connection.execute(select(table.c.id).where(column.in_(part)))).scalars())
    return sorted(found)


async def _rows(connection: AsyncConnection, table: Table, column: Column[str], values: Iterable[str]) -> list[Json]:
    """In the order of their keys."""
    found: list[Json] = []
    for part in _parts(values):
        wanted = select(table).where(column.in_(part)).order_by(*table.primary_key.columns)
        found += [plain(dict(row)) for row in (await connection.execute(wanted)).mappings()]
    return found


async def _count(connection: AsyncConnection, table: Table, thread_id: str) -> int:
    counted = select(func.count()).select_from(table).where(table.c.thread == thread_id)
    return int(await connection.scalar(counted) or 0)


async def _audit_about(connection: AsyncConnection, ids: Collection[str]) -> list[Json]:
    """One walk through the log: it has no index for names, and one of many customers asks for this once a year."""
    quoted = re.compile("|".join(f'"{re.escape(one)}"' for one in sorted(ids)) or "(?!)")
    log = (await connection.stream(select(audit).order_by(audit.c.sequence))).mappings()
    return [{**row, "data": _parsed(row["data"])} async for row in log if quoted.search(row["data"])]


def _parsed(data: str) -> Json:
    parsed: Json = json.loads(data)
    return parsed


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
