"""Finds out what became of an action whose outcome is not known, by reading Stripe first."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.deeds.deed import idempotency_key
from nodes.case.deeds.table import DEEDS
from nodes.case.execute_action import carry_out
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.errors import BillingUnavailable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionState

KEY_LIVES_SECONDS = 23 * 3600
"""Stripe keeps an idempotency key for at least 24 h; after that the same key would be a new request."""


async def reconcile_effect(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The truth is told late rather than wrongly, and nothing is done twice."""
    context = runtime.context
    action = await context.ledger.action(state["case_id"])
    if action is None:
        raise LookupError(state["case_id"])
    try:
        done = await DEEDS[action.kind].found(context.billing, action)
    except BillingUnavailable:
        return {"evidence": "unreadable"}
    if done is None and (context.now() - action.updated).total_seconds() < KEY_LIVES_SECONDS:
        if action.state == "executing":
            await context.ledger.begin_effect(action.id, idempotency_key(action), action.target, action.kind)
        return {"progress": await carry_out(action, context.mover, context.ledger)}
    return {"progress": await _settle(action, done, context.ledger)}


async def _settle(action: Action, done: str | None, ledger: Ledger) -> ActionState:
    outcome: ActionState = "succeeded" if done else "failed"
    await ledger.finish_effect(action.id, "done" if done else "absent", done)
    await ledger.move_action(action.id, outcome, actor="reconciliation", reason=done or "it never happened")
    return outcome
