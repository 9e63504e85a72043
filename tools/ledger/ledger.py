"""The ledger: threads, actions, receipts, tickets, promises and the audit log behind one door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import select

from tools.ledger.actions import Actions
from tools.ledger.approvals import Approvals
from tools.ledger.assessments import Assessments
from tools.ledger.audit import Audit
from tools.ledger.calls import Calls
from tools.ledger.database import Database
from tools.ledger.effects import Effects
from tools.ledger.feedback import Feedbacks
from tools.ledger.identities import Identities
from tools.ledger.messages import Messages
from tools.ledger.migrate import migrate
from tools.ledger.privacy import Privacy
from tools.ledger.promises import Promises
from tools.ledger.receipts import Receipts
from tools.ledger.redactions import Redactions
from tools.ledger.refund_outcomes import RefundOutcomes
from tools.ledger.refunds import Refunds
from tools.ledger.repository import Clock, utc_now
from tools.ledger.resealing import Resealing
from tools.ledger.runs import Runs
from tools.ledger.service_keys import ServiceKeys
from tools.ledger.stripe_events import StripeEvents
from tools.ledger.switches import Switches
from tools.ledger.tables import audit_head
from tools.ledger.threads import Threads
from tools.ledger.tickets import Tickets
from tools.sealing.keyring import Keyring


class Ledger(
    Threads,
    Runs,
    Messages,
    Identities,
    Actions,
    Approvals,
    Assessments,
    Switches,
    Effects,
    Receipts,
    Refunds,
    RefundOutcomes,
    StripeEvents,
    Tickets,
    Promises,
    Feedbacks,
    ServiceKeys,
    Audit,
    Calls,
    Redactions,
    Privacy,
    Resealing,
):
    """Each method is one transaction. Fails closed: Unavailable when the database does not answer."""

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, keys: Keyring, clock: Clock = utc_now) -> AsyncIterator[Self]:
        """On SQLite or PostgreSQL, brought to the newest schema first. Safe to open from many processes.

        `keys` seal what people said and who they are.
        """
        async with Database.open(url, keys) as database:
            await migrate(database)
            yield cls(database, clock)

    async def ping(self) -> None:
        """Unavailable unless the database answers and holds a ledger."""
        async with self._database.read() as connection:
            (await connection.execute(select(audit_head.c.sequence))).one()
