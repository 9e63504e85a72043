"""Reads Stripe again, right before acting."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.deeds.table import DEEDS
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.errors import BillingUnavailable, IllegalTransition, NotFound


async def check_evidence(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """A yes to old facts is no yes to new ones: whatever changed since makes the action void."""
    context = runtime.context
    action = await context.ledger.action(state["case_id"])
    if action is None:
        raise LookupError(state["case_id"])
    try:
        now = await DEEDS[action.kind].evidence(context.billing, action.target, action.details)
    except BillingUnavailable:
        return {"evidence": "unreadable"}
    except NotFound:
        now = {}
    if now == action.evidence["stripe"]:
        return {"evidence": "holds"}
    try:
        await context.ledger.move_action(action.id, "void", actor="code", reason="billing data changed")
    except IllegalTransition:
        return {"evidence": "unreadable"}
    return {"evidence": "changed"}
