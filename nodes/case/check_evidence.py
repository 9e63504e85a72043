"""Reads Stripe again, right before acting."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.at_hand import action_at_hand
from nodes.case.deeds.table import DEEDS
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.billing.types import BillingReader
from tools.errors import BillingUnavailable, IllegalTransition, NotFound
from tools.ledger.types import Action

CHANGED = "billing data changed"
"""Why an action is void when Stripe says otherwise than its evidence."""
NEVER_HAPPENED = "it never happened"
"""Why an action failed of which Stripe knows nothing, a day after it was sent."""


async def check_evidence(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """A yes to old facts is no yes to new ones: whatever changed since makes the action void."""
    context = runtime.context
    action = await action_at_hand(state, context)
    try:
        now = await facts_at_stripe(context.billing, action)
    except BillingUnavailable:
        return {"evidence": "unreadable"}
    if now == action.evidence["stripe"]:
        return {"evidence": "holds"}
    try:
        await context.ledger.move_action(action.id, "void", actor="code", reason=CHANGED)
    except IllegalTransition:
        return {"evidence": "unreadable"}
    return {"evidence": "changed", "progress": "void"}


async def facts_at_stripe(billing: BillingReader, action: Action) -> dict[str, Any]:
    """What the action's evidence would say now; nothing when its target is gone. Raises `BillingUnavailable`."""
    try:
        return await DEEDS[action.kind].evidence(billing, action.target, action.details)
    except NotFound:
        return {}
