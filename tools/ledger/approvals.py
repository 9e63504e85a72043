"""People's words on actions: each names one digest, and enough different people have to say yes."""

from datetime import datetime

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import Conflict, IllegalTransition, Unprocessable
from tools.ledger.actions import find, move, refuse_stale
from tools.ledger.audit import append
from tools.ledger.people import NO_PEOPLE
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import actions, approvals
from tools.ledger.types import Action, ActionState, Approval, Approving, Json
from tools.money import Money


class Approvals(Repository):
    async def decide_action(
        self, action_id: str, *, approve: bool, agent: str, role: str, digest: str, reason: str
    ) -> Action:
        """One person's decision, and the state that follows from it: rejected at once, approved by enough people.

        Saying the same again changes nothing. Raises `StaleDecision` for another digest, `IllegalTransition` when
        the action no longer waits or its time is over, and `Conflict` for who proposed it.
        """
        verdict: Approving = "approve" if approve else "reject"
        if not reason.strip() or agent in NO_PEOPLE:
            raise Unprocessable("A decision needs a person and a reason.")
        async with self._database.write() as connection:
            action = await find(connection, action_id, lock=True)
            to: ActionState = "approved" if approve else "rejected"
            refuse_stale(action, to, digest, self._now())
            if approve and agent == action.proposer:
                raise Conflict("You proposed this, so another person has to approve it.")
            if action.state != "awaiting_approval":
                return await _settled(connection, action, agent, verdict)
            await self._write_down(
                connection, action, {"agent": agent, "role": role, "verdict": verdict, "reason": reason}
            )
            if approve and await _yeses(connection, action) < max(1, action.approvals_needed):
                return action
            return await move(connection, action, to, actor=agent, reason=reason, now=self._now())

    async def approvals(self, action_id: str) -> list[Approval]:
        """In the order given."""
        wanted = select(approvals).where(approvals.c.action == action_id).order_by(approvals.c.at, approvals.c.agent)
        async with self._database.read() as connection:
            return [_approval(row) for row in (await connection.execute(wanted)).mappings()]

    async def approved_by(self, agent: str, *, since: datetime) -> dict[str, Money]:
        """What this person approved after `since`, summed by currency."""
        summed = (
            select(actions.c.currency, func.sum(actions.c.amount))
            .join(approvals, approvals.c.action == actions.c.id)
            .where(approvals.c.agent == agent, approvals.c.verdict == "approve", approvals.c.at > since)
            .group_by(actions.c.currency)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(summed)).all()
        return {currency: Money(int(total), currency) for currency, total in found}

    async def _write_down(self, connection: AsyncConnection, action: Action, said: Json) -> None:
        now = self._now()
        row = {"action": action.id, "digest": action.digest, **said}
        if await insert_once(connection, approvals, row | {"at": now}):
            noted = {name: value for name, value in row.items() if name != "reason"}
            await append(connection, now, f"approval.{said['verdict']}", noted)


async def _settled(connection: AsyncConnection, action: Action, agent: str, verdict: Approving) -> Action:
    """A second click by the same person is no error; anybody else is told where it stands."""
    mine = select(approvals.c.agent).where(
        approvals.c.action == action.id, approvals.c.agent == agent, approvals.c.verdict == verdict
    )
    if (await connection.execute(mine)).first() is None:
        raise IllegalTransition(f"The action is {action.state}, so there is nothing to decide.")
    return action


async def _yeses(connection: AsyncConnection, action: Action) -> int:
    said = (approvals.c.action == action.id, approvals.c.digest == action.digest, approvals.c.verdict == "approve")
    return int(await connection.scalar(select(func.count()).select_from(approvals).where(*said)) or 0)


def _approval(row: RowMapping) -> Approval:
    return Approval(**row)
