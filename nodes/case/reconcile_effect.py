"""Finds out what became of an action whose outcome is not known, by reading Stripe first."""

from datetime import timedelta
from typing import Any

from langgraph.runtime import Runtime

from nodes.case.at_hand import action_at_hand
from nodes.case.check_evidence import CHANGED, NEVER_HAPPENED, facts_at_stripe
from nodes.case.deeds.table import DEEDS
from nodes.case.execute_action import carry_out, conclude
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.errors import BillingUnavailable
from tools.ledger.ledger import Ledger
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action

KEY_LIVES = timedelta(hours=23)
"""Stripe keeps an idempotency key for at least 24 h; after that the same key would be a new request."""
QUIET = timedelta(minutes=5)
"""Longer than any request of ours can be under way, so that what is not there by then will not come any more."""


async def reconcile_effect(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The truth is told late rather than wrongly, and nothing is done twice."""
    context = runtime.context
    action = await action_at_hand(state, context)
    deed = DEEDS[action.kind]
    try:
        # In this order: what our own deed changed must not pass for somebody else's change.
        drifted = await facts_at_stripe(context.billing, action) != action.evidence["stripe"]
        done = await deed.found(context.billing, action)
        drifted = drifted and not await deed.begun(context.billing, action)
    except BillingUnavailable:
        return {"evidence": "unreadable"}
    if done:
        return {"progress": await conclude(action, context.ledger, "done", done, actor="reconciliation")}
    return {"progress": await _not_there(action, context, drifted=drifted)}


async def _not_there(action: Action, context: CaseContext, *, drifted: bool) -> str:
    """Sent again under the same key while Stripe remembers it and nothing speaks against it; else it is over."""
    [effect] = await context.ledger.effects(action.id)
    age = context.now() - effect.begun
    if age >= KEY_LIVES:
        return await conclude(action, context.ledger, "absent", NEVER_HAPPENED, actor="reconciliation")
    if drifted and age >= QUIET:
        return await conclude(action, context.ledger, "absent", CHANGED, actor="reconciliation")
    if drifted or await _is_stopped(action, context.ledger):
        return action.state
    return await carry_out(action, context.mover, context.ledger)


async def _is_stopped(action: Action, ledger: Ledger) -> bool:
    """Nobody approved it, and nothing is sent without a person now."""
    return not await ledger.is_on(AUTOMATIC) and not await ledger.approvals(action.id)
