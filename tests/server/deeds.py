"""Actions in the ledger of a server under test."""

from datetime import timedelta
from typing import Any

from tests.server.conftest import new_id
from tools.ledger.digest import digest_of
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionState
from tools.money import Money

WAY: dict[ActionState, tuple[ActionState, ...]] = {
    "proposed": (),
    "declined": ("declined",),
    "void": ("void",),
    "confirmed": ("confirmed",),
    "awaiting_approval": ("confirmed", "awaiting_approval"),
    "approved": ("confirmed", "awaiting_approval", "approved"),
    "executing": ("confirmed", "executing"),
    "unknown": ("confirmed", "executing", "unknown"),
    "succeeded": ("confirmed", "executing", "succeeded"),
}
"""How an action gets into each state: those that are carried out were within what the assistant may do."""


async def waiting_action(ledger: Ledger, thread: str, **changes: Any) -> Action:
    return await move_to(ledger, await proposed_action(ledger, thread, **changes), "awaiting_approval")


async def action_in(ledger: Ledger, thread: str, state: ActionState, **changes: Any) -> Action:
    automatic = {"outcome": "auto"} if "executing" in WAY[state] else {}
    return await move_to(ledger, await proposed_action(ledger, thread, **{**automatic, **changes}), state)


async def move_to(ledger: Ledger, action: Action, state: ActionState) -> Action:
    for step in WAY[state]:
        action = await _step(ledger, action, step)
    return action


async def _step(ledger: Ledger, action: Action, step: ActionState) -> Action:
    match step:
        case "approved":
            said: dict[str, Any] = {"agent": "Zoe", "role": "admin", "digest": action.digest, "reason": "looks right"}
            return await ledger.decide_action(action.id, approve=True, **said)
        case "executing":
            return await ledger.begin_action(action.id, f"key-{action.id}")
        case "succeeded":
            said = {"stripe_id": f"re_{action.id}", "actor": "stripe", "reason": ""}
            return await ledger.conclude_action(action.id, "done", **said)
        case "awaiting_approval":
            deadline = action.updated + timedelta(days=5)
            return await ledger.move_action(action.id, step, actor="policy", deadline=deadline)
        case _:
            return await ledger.move_action(action.id, step, actor="customer")


async def proposed_action(ledger: Ledger, thread: str, **changes: Any) -> Action:
    terms: dict[str, Any] = {
        "kind": "refund",
        "customer": "cus_1",
        "target": "ch_1",
        "amount": Money(4999, "usd"),
        "policy_version": "1",
        "evidence": {"refundable": 4999},
    }
    terms |= {name: changes.pop(name) for name in list(changes) if name in terms}
    kept = await ledger.thread(thread)
    assert kept is not None
    rest: dict[str, Any] = {"outcome": "needs_approval", "approvals_needed": 1, "details": {}} | changes
    action = Action(
        id=new_id(), thread=thread, reason="Charged twice.", rule="refund-limit", digest=digest_of(**terms),
        state="proposed", created=kept.created, updated=kept.created, **terms, **rest,
    )  # fmt: skip
    return await ledger.propose_action(action)
