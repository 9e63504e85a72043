"""Looks up in the ledger how far the case has come. The ledger is the truth; a checkpoint is only a place mark."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import CaseContext
from nodes.state import CaseState


async def load_case(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """A case goes on where it was, even when every checkpoint is lost."""
    action = await runtime.context.ledger.action(state["case_id"])
    if action is None:
        # Weighed and not denied, yet not written down: it was cut short in between, and is weighed once more.
        denied = (state.get("verdict") or {}).get("outcome") == "deny"
        return {"progress": "denied" if denied else "new"}
    known = {"thread": action.thread, "digest": action.digest}
    if action.state == "confirmed" and action.outcome == "needs_approval":
        return {"progress": "needs_approval", **known}
    receipt = await runtime.context.ledger.receipt_of(action.id) if action.state == "succeeded" else None
    return {"progress": "done" if receipt else action.state, **known}
