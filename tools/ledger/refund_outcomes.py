"""What became of our refunds at the bank, as Stripe last said it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.ledger.audit import append
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import refund_outcomes
from tools.ledger.types import Json, RefundOutcome, RefundState

RANK: dict[RefundState, int] = {"requires_action": 0, "pending": 1, "succeeded": 2, "failed": 3, "canceled": 3}
"""A refund only moves up. One read earlier may be written down later, so what would move it down is old news."""


class RefundOutcomes(Repository):
    async def note_refund(
        self,
        refund: str,
        *,
        action: str,
        state: RefundState,
        reference: str | None = None,
        failure_reason: str | None = None,
    ) -> RefundOutcome:
        """What is known now. Each change is in the audit log once, however often and in whatever order it is said."""
        said: Json = {"state": state, "reference": reference, "failure_reason": failure_reason}
        now = self._now()
        async with self._database.write() as connection:
            row: Json = {"refund": refund, "action": action, "created": now, "updated": now}
            if await insert_once(connection, refund_outcomes, said | row):
                await _audit(connection, now, refund, action, said)
                return RefundOutcome(**said, **row)
            kept = await _locked(connection, refund)
            if RANK[state] < RANK[kept.state] or (kept.undone and state != kept.state):
                return kept
            # A bank's reference is never taken back.
            said |= {"reference": reference or kept.reference}
            if said == {name: getattr(kept, name) for name in said}:
                return kept
            changed = update(refund_outcomes).where(refund_outcomes.c.refund == refund).values(said | {"updated": now})
            result = await connection.execute(changed.returning(refund_outcomes))
            await _audit(connection, now, refund, kept.action, said)
            return RefundOutcome(**result.mappings().one())

    async def refund_outcome(self, action_id: str) -> RefundOutcome | None:
        """Of the refund that this action made; None while Stripe has said nothing of it."""
        wanted = select(refund_outcomes).where(refund_outcomes.c.action == action_id)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted.order_by(refund_outcomes.c.created.desc()))).mappings().first()
        return RefundOutcome(**row) if row else None


async def _locked(connection: AsyncConnection, refund: str) -> RefundOutcome:
    wanted = select(refund_outcomes).where(refund_outcomes.c.refund == refund).with_for_update()
    return RefundOutcome(**(await connection.execute(wanted)).mappings().one())


async def _audit(connection: AsyncConnection, at: datetime, refund: str, action: str, said: dict[str, Any]) -> None:
    await append(connection, at, f"refund.{said['state']}", {"refund": refund, "action": action, **said})
