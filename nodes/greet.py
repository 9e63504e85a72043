"""First words: says that this is an automated assistant, and what it can do."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import draft
from nodes.state import SupportState


async def greet(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer knows whom they talk to and what to expect."""
    reply = draft("greeting", company=runtime.context.company).worded_by("greeting")
    return {"draft": reply.to_json(), "stage": "greeting", "asked": None, "clarifications": 0}
