"""Waits for the customer's yes or no."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from nodes.case.decided import word_on
from nodes.context import CaseContext
from nodes.state import CaseState


async def await_confirmation(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """Nothing happens until the customer has agreed to exactly this. What they said is in the ledger by then."""
    waiting = {"waiting_for": "customer", "case_id": state["case_id"], "digest": state.get("digest")}
    interrupt(waiting, response_schema=word_on(state.get("digest")))
    return {}
