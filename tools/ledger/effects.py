"""Intents to write to Stripe: kept before the write, concluded when the answer is known.

Each is one transaction with the move of its action, so that neither is ever seen without the other.
"""

from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import Conflict, IllegalTransition
from tools.ledger.actions import find, move, refuse_stale, refuse_while_off
from tools.ledger.audit import append
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import effects
from tools.ledger.types import Action, Effect

Outcome = Literal["done", "refused", "absent"]
"""`absent`: Stripe was read, and it had never happened."""


class Effects(Repository):
    async def begin_action(self, action_id: str, idempotency_key: str) -> Action:
        """Moves it to `executing` and writes down what is about to be sent. One caller gets through, once.

        Raises `IllegalTransition` for whoever comes second, `NotAutomatic` while automatic actions are off and no
        person approved, `StaleDecision` for a record that no longer matches its digest, and `Conflict` when the key
        names another effect.
        """
        now = self._now()
        async with self._database.write() as connection:
            action = await find(connection, action_id, lock=True)
            refuse_stale(action, "executing", None, now)
            await refuse_while_off(connection, action)
            begun = await move(connection, action, "executing", actor="code", reason="", now=now)
            row = {"action": action.id, "kind": action.kind, "target": action.target}
            if not await insert_once(connection, effects, row | {"idempotency_key": idempotency_key, "begun": now}):
                raise Conflict("This idempotency key names another effect.")
            await append(connection, now, "effect.begun", row | {"idempotency_key": idempotency_key})
        return begun

    async def conclude_action(
        self, action_id: str, outcome: Outcome, *, stripe_id: str | None, actor: str, reason: str
    ) -> Action:
        """The end, and Stripe's id of the deed when it was done. Raises `IllegalTransition` when it has ended."""
        now = self._now()
        async with self._database.write() as connection:
            action = await find(connection, action_id, lock=True)
            to: Literal["succeeded", "failed"] = "succeeded" if outcome == "done" else "failed"
            ended = await move(connection, action, to, actor=actor, reason=reason, now=now)
            said: dict[str, Any] = {"outcome": outcome, "stripe_id": stripe_id}
            finished = update(effects).where(effects.c.action == action_id).values(**said, finished=now)
            if (await connection.execute(finished)).rowcount != 1:
                raise IllegalTransition("Nothing was begun for this action.")
            await append(connection, now, "effect.finished", {"action": action_id, **said})
        return ended

    async def effect_of(self, stripe_id: str) -> Effect | None:
        """The effect that made this object at Stripe, if one of ours did."""
        wanted = select(effects).where(effects.c.stripe_id == stripe_id, effects.c.outcome == "done").limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).mappings().one_or_none()
        return Effect(**row) if row else None

    async def effects(self, action_id: str) -> list[Effect]:
        """In the order begun."""
        async with self._database.read() as connection:
            return await _of(connection, action_id)


async def _of(connection: AsyncConnection, action_id: str) -> list[Effect]:
    wanted = select(effects).where(effects.c.action == action_id)
    rows = await connection.execute(wanted.order_by(effects.c.begun, effects.c.idempotency_key))
    return [Effect(**row) for row in rows.mappings()]
