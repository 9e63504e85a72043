"""Puts a confirmed action before a person."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import CaseContext
from nodes.state import CaseState


async def request_approval(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """Above the limits of policy, a colleague decides; the desk sees it from now on."""
    await runtime.context.ledger.move_action(state["case_id"], "awaiting_approval", actor="policy")
    return {"progress": "awaiting_approval"}
