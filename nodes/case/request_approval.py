"""Puts a confirmed action before a person."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import CaseContext
from nodes.promising import promise_decision
from nodes.state import CaseState


async def request_approval(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """Above the limits of policy, a colleague decides, by a time; the desk sees it from now on."""
    context = runtime.context
    # First what is owed: cut short in between, the case comes here again; the other way round it would not.
    if action := await context.ledger.action(state["case_id"]):
        await promise_decision(action, context.ledger)
    deadline = context.now() + context.policy.approval_lasts
    await context.ledger.move_action(state["case_id"], "awaiting_approval", actor="policy", deadline=deadline)
    return {"progress": "awaiting_approval"}
