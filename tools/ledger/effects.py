"""Intents to write to Stripe: kept before the write, finished when the answer is known."""

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import Conflict, IllegalTransition, NotFound
from tools.ledger.actions import find
from tools.ledger.audit import append
from tools.ledger.repository import Repository, insert_once
from tools.ledger.tables import effects
from tools.ledger.types import Effect


class Effects(Repository):
    async def begin_effect(self, action_id: str, idempotency_key: str, target: str, kind: str) -> bool:
        """True when the intent is newly written, False when it was there: then read Stripe, do not write.

        Only an action that is executing may begin one. The same intent under another key, or the same key
        for another intent, is a Conflict.
        """
        intent = {"action": action_id, "kind": kind, "target": target}
        now = self._now()
        async with self._database.write() as connection:
            action = await find(connection, action_id, lock=True)
            kept = await _intended(connection, intent)
            if kept is not None:
                return _same_key(kept, idempotency_key)
            if action.state != "executing":
                raise IllegalTransition(f"Nothing is carried out for an action that is {action.state}.")
            row = intent | {"idempotency_key": idempotency_key}
            if not await insert_once(connection, effects, row | {"begun": now}):
                raise Conflict("This idempotency key names another effect.")
            await append(connection, now, "effect.begun", row)
        return True

    async def finish_effect(self, action_id: str, outcome: str, stripe_id: str | None) -> None:
        """Idempotent; only `unknown` may be replaced by another outcome."""
        async with self._database.write() as connection:
            await find(connection, action_id, lock=True)
            kept = await _of(connection, action_id)
            if not kept:
                raise NotFound
            if any(effect.outcome not in (None, "unknown", outcome) for effect in kept):
                raise Conflict("The outcome of this effect is settled already.")
            await self._finish(connection, action_id, outcome, stripe_id)

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

    async def _finish(self, connection: AsyncConnection, action_id: str, outcome: str, stripe_id: str | None) -> None:
        now = self._now()
        unsettled = effects.c.outcome.is_(None) | (effects.c.outcome != outcome)
        done = update(effects).where(effects.c.action == action_id, unsettled)
        changed = await connection.execute(done.values(outcome=outcome, stripe_id=stripe_id, finished=now))
        if changed.rowcount:
            noted = {"action": action_id, "outcome": outcome, "stripe_id": stripe_id}
            await append(connection, now, "effect.finished", noted)


async def _of(connection: AsyncConnection, action_id: str) -> list[Effect]:
    wanted = select(effects).where(effects.c.action == action_id)
    rows = await connection.execute(wanted.order_by(effects.c.begun, effects.c.idempotency_key))
    return [Effect(**row) for row in rows.mappings()]


async def _intended(connection: AsyncConnection, intent: dict[str, str]) -> RowMapping | None:
    wanted = select(effects).where(*(effects.c[column] == value for column, value in intent.items()))
    return (await connection.execute(wanted)).mappings().one_or_none()


def _same_key(kept: RowMapping, idempotency_key: str) -> bool:
    """False, which is `begin_effect`'s word for "already begun"; a different key is a different story."""
    if kept["idempotency_key"] != idempotency_key:
        raise Conflict("This effect was begun under another idempotency key.")
    return False
