"""Things for the ledger to keep, and ways around its guards."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from tools.ledger.digest import own_digest
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionState
from tools.money import Money

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

PATHS: dict[ActionState, tuple[ActionState, ...]] = {
    "proposed": (),
    "confirmed": ("confirmed",),
    "declined": ("declined",),
    "awaiting_approval": ("confirmed", "awaiting_approval"),
    "approved": ("confirmed", "awaiting_approval", "approved"),
    "rejected": ("confirmed", "awaiting_approval", "rejected"),
    "expired": ("confirmed", "awaiting_approval", "expired"),
    "void": ("void",),
    "executing": ("confirmed", "executing"),
    "succeeded": ("confirmed", "executing", "succeeded"),
    "failed": ("confirmed", "executing", "failed"),
    "unknown": ("confirmed", "executing", "unknown"),
}
"""How an action gets into each state."""


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **passed: float) -> datetime:
        self.now += timedelta(**passed)
        return self.now


def an_action(**changes: Any) -> Action:
    """A refund that code has read from Stripe, under the digest that it has."""
    action = Action(
        id="action-1",
        thread="thread-1",
        kind="refund",
        customer="cus_1",
        target="ch_1",
        amount=Money(4900, "usd"),
        reason="charged twice",
        details={"card": {"last4": "4242"}, "schedule": [1, 2.5, None, True]},
        evidence={"charge": "ch_1", "amount_refunded": 0},
        policy_version="2026-11-01",
        rule="refund.duplicate",
        outcome="auto",
        digest="",
        state="proposed",
        created=START,
        updated=START,
    )
    action = replace(action, **changes)
    return action if action.digest else replace(action, digest=own_digest(action))


async def bring_to(ledger: Ledger, state: ActionState, **changes: Any) -> Action:
    """On a target of its own: only one of a kind may be under way for each."""
    if "id" in changes:
        changes = {"target": f"ch_of_{changes['id']}", **changes}
    wanted = an_action(**changes)
    return await walk_to(ledger, state, await ledger.propose_action(wanted))


async def walk_to(ledger: Ledger, state: ActionState, action: Action) -> Action:
    for step in PATHS[state]:
        action = await take_step(ledger, action, step)
    return action


async def take_step(ledger: Ledger, action: Action, step: ActionState) -> Action:
    """In the way that each step is made."""
    if action.state == "awaiting_approval" and step in {"approved", "rejected"}:
        return await ledger.decide_action(
            action.id, approve=step == "approved", agent="sam", role="supervisor", digest=action.digest, reason="fine"
        )
    if step == "executing":
        return await ledger.begin_action(action.id, f"key-of-{action.id}")
    if step in {"succeeded", "failed"}:
        done = step == "succeeded"
        return await ledger.conclude_action(
            action.id, "done" if done else "refused", stripe_id="re_1" if done else None, actor="stripe", reason="so"
        )
    return await ledger.move_action(action.id, step, actor="somebody")


async def behind_its_back(ledger: Ledger, statement: str, **values: Any) -> None:
    """SQL straight to the tables."""
    async with ledger._database.write() as connection:
        if values:
            await connection.execute(text(statement), values)
        else:
            await connection.exec_driver_sql(statement)


async def drop_guards(ledger: Ledger, table: str) -> None:
    """As somebody would who owns the database and means to change the past."""
    for change in ("update", "delete"):
        name = f"{table}_refuses_{change}"
        where = "" if ledger._database.sqlite else f" ON {table}"
        await behind_its_back(ledger, f"DROP TRIGGER {name}{where}")
    await behind_its_back(ledger, f"DROP TRIGGER IF EXISTS {table}_keeps_its_words{where}")
