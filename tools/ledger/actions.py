"""Actions: immutable records of what may be done, and the one way their state moves."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.errors import (
    AlreadyUnderWay,
    Conflict,
    IllegalTransition,
    NotAutomatic,
    NotFound,
    StaleDecision,
    Unprocessable,
)
from tools.ledger.audit import append
from tools.ledger.digest import canonical, own_digest
from tools.ledger.people import is_person
from tools.ledger.repository import Repository, insert_once
from tools.ledger.switches import AUTOMATIC, find_switch
from tools.ledger.tables import action_events, actions, receipts
from tools.ledger.transitions import LIVE, may_move
from tools.ledger.types import Action, ActionEvent, ActionState, Json
from tools.money import Money


class Actions(Repository):
    async def propose_action(self, action: Action) -> Action:
        """Idempotent on the id; Conflict when that id names something else.

        The digest must be the action's own (`digest_of` its fields), else it is Unprocessable.
        """
        if action.state != "proposed":
            raise IllegalTransition(f"An action begins as proposed, not as {action.state}.")
        if action.digest != own_digest(action):
            raise Unprocessable("The action's digest is not the digest of its fields.")
        async with self._database.write() as connection:
            if await insert_once(connection, actions, _row(action)):
                await _note(connection, action, action.proposer, "", self._now())
            kept = await find(connection, action.id)
        if _terms(kept) != _terms(action):
            raise Conflict("This id names another action already.")
        return kept

    async def action(self, action_id: str) -> Action | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(actions).where(actions.c.id == action_id))).mappings().one_or_none()
        return _action(row) if row else None

    async def actions(
        self,
        *,
        thread: str | None = None,
        state: ActionState | None = None,
        customer: str | None = None,
        target: str | None = None,
        limit: int = 50,
    ) -> list[Action]:
        """Newest first."""
        wanted = select(actions).order_by(actions.c.created.desc(), actions.c.id).limit(limit)
        for column, value in (
            (actions.c.thread, thread),
            (actions.c.state, state),
            (actions.c.customer, customer),
            (actions.c.target, target),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        async with self._database.read() as connection:
            return [_action(row) for row in (await connection.execute(wanted)).mappings()]

    async def move_action(
        self,
        action_id: str,
        to: ActionState,
        *,
        actor: str,
        reason: str = "",
        digest: str | None = None,
        deadline: datetime | None = None,
    ) -> Action:
        """Compare and set: of two that move the same action at once, one gets IllegalTransition.

        A `digest` that is not the action's is a StaleDecision; so is executing a record that no longer
        matches its own. `deadline` is when the new state ends by itself. What is under way already for the same
        target is AlreadyUnderWay. Execution begins and ends in `Effects`, approval in `Approvals`.
        """
        async with self._database.write() as connection:
            action = await find(connection, action_id, lock=True)
            refuse_stale(action, to, digest, self._now())
            if to == "executing":
                raise IllegalTransition("Execution begins together with its intent: begin_action.")
            return await move(connection, action, to, actor=actor, reason=reason, now=self._now(), deadline=deadline)

    async def explain_action(self, action_id: str, *, actor: str, reason: str) -> None:
        """A person's reason for it, in the state that it is in. It is erased with the conversation."""
        now = self._now()
        async with self._database.write() as connection:
            action = await find(connection, action_id, lock=True)
            event = await _event(connection, action, actor, reason, now)
            noted = {"action": action.id, "agent": actor, "sequence": event["sequence"]}
            await append(connection, now, "action.reasoned", noted)

    async def overdue_actions(self, *, limit: int = 100) -> list[Action]:
        """Those whose time to be agreed to is over, and that do not say so yet."""
        waiting = (actions.c.state.in_(("proposed", "awaiting_approval")), actions.c.deadline <= self._now())
        wanted = select(actions).where(*waiting).order_by(actions.c.deadline, actions.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_action(row) for row in (await connection.execute(wanted)).mappings()]

    async def unfinished_actions(self, *, limit: int = 200) -> list[Action]:
        """Agreed to, with neither an end nor a receipt; the one that has not moved for longest comes first."""
        going_on = actions.c.state.in_(("confirmed", "approved", "executing", "unknown"))
        unreceipted = (actions.c.state == "succeeded") & ~exists().where(receipts.c.action == actions.c.id)
        wanted = select(actions).where(going_on | unreceipted).order_by(actions.c.updated, actions.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_action(row) for row in (await connection.execute(wanted)).mappings()]

    async def action_events(self, action_id: str) -> list[ActionEvent]:
        wanted = select(action_events).where(action_events.c.action == action_id)
        async with self._database.read() as connection:
            rows = await connection.execute(wanted.order_by(action_events.c.sequence))
            return [ActionEvent(**row) for row in rows.mappings()]


async def find(connection: AsyncConnection, action_id: str, *, lock: bool = False) -> Action:
    wanted = select(actions).where(actions.c.id == action_id)
    result = await connection.execute(wanted.with_for_update() if lock else wanted)
    row = result.mappings().one_or_none()
    if row is None:
        raise NotFound
    return _action(row)


async def move(
    connection: AsyncConnection,
    action: Action,
    to: ActionState,
    *,
    actor: str,
    reason: str,
    now: datetime,
    deadline: datetime | None = None,
) -> Action:
    """Within the caller's transaction. Raises IllegalTransition, or AlreadyUnderWay for a second one on its target."""
    if not may_move(action, to):
        raise IllegalTransition(_refusal(action, to))
    if to in LIVE and await _another_is_live(connection, action):
        raise AlreadyUnderWay
    moved = replace(action, state=to, updated=now, deadline=deadline)
    here = update(actions).where(actions.c.id == action.id, actions.c.state == action.state)
    if (await connection.execute(here.values(state=to, updated=now, deadline=deadline))).rowcount != 1:
        raise IllegalTransition(_refusal(action, to))
    await _note(connection, moved, actor, reason, now)
    return moved


async def _another_is_live(connection: AsyncConnection, action: Action) -> bool:
    """The unique index would refuse it too, but not say why."""
    same = (actions.c.kind == action.kind, actions.c.target == action.target, actions.c.id != action.id)
    live = select(actions.c.id).where(*same, actions.c.state.in_(LIVE)).limit(1)
    return (await connection.execute(live)).first() is not None


async def refuse_while_off(connection: AsyncConnection, action: Action) -> None:
    """Raises NotAutomatic for what no person approved while automatic actions are switched off."""
    if action.state != "confirmed":
        return
    switch = await find_switch(connection, AUTOMATIC, lock=True)
    if switch is not None and not switch.on:
        raise NotAutomatic


async def _note(connection: AsyncConnection, action: Action, actor: str, reason: str, at: datetime) -> None:
    """Words of a person stay out of the audit log, where nothing is ever erased."""
    event = await _event(connection, action, actor, reason, at)
    said = {name: value for name, value in event.items() if name != "reason" or not is_person(actor)}
    await append(connection, at, f"action.{action.state}", said | {"digest": action.digest})


async def _event(connection: AsyncConnection, action: Action, actor: str, reason: str, at: datetime) -> Json:
    """Within the move's transaction, after its row is locked: the sequence has no gap and no twin."""
    last = select(func.max(action_events.c.sequence)).where(action_events.c.action == action.id)
    event: Json = {"action": action.id, "state": action.state, "actor": actor, "reason": reason}
    event["sequence"] = (await connection.scalar(last) or 0) + 1
    await connection.execute(action_events.insert().values(at=at, **event))
    return event


def refuse_stale(action: Action, to: ActionState, digest: str | None, now: datetime) -> None:
    """A word on another digest, on a changed record, or after its time."""
    if digest is not None and digest != action.digest:
        raise StaleDecision
    if to == "executing" and action.digest != own_digest(action):
        raise StaleDecision("The record of this action was changed after it was decided on.")
    if to in {"confirmed", "approved"} and action.deadline is not None and now >= action.deadline:
        raise IllegalTransition("The time to agree to this is over. Ask for it again.")


def _refusal(action: Action, to: ActionState) -> str:
    return f"The action is {action.state} and cannot become {to}."


def _terms(action: Action) -> bytes:
    terms = _row(action)
    return canonical({name: terms[name] for name in terms if name not in {"state", "deadline", "created", "updated"}})


def _row(action: Action) -> dict[str, Any]:
    return asdict(action) | {"amount": action.amount.amount, "currency": action.amount.currency}


def _action(row: RowMapping) -> Action:
    fields = dict(row)
    amount = Money(fields.pop("amount"), fields.pop("currency"))
    return Action(amount=amount, **fields)
