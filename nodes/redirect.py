"""Says kindly what is out of scope."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import draft
from nodes.state import SupportState


async def redirect(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer learns what this assistant is for; instructions in disguise lead nowhere."""
    template = "refuse_instructions" if state["turn"]["screen"] == "unsafe" else "redirect"
    return {"draft": draft(template, company=runtime.context.company).to_json(), "asked": None, "clarifications": 0}
