"""Waits for a person's decision."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from nodes.case.decided import word_on
from nodes.context import CaseContext
from nodes.state import CaseState


async def await_approval(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """May take days. What the person decided is in the ledger by the time this goes on."""
    waiting = {"waiting_for": "staff", "case_id": state["case_id"], "digest": state.get("digest")}
    interrupt(waiting, response_schema=word_on(state.get("digest")))
    return {}
