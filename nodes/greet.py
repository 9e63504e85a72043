"""First words: says that this is an automated assistant, and what it can do."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.state import SupportState


async def greet(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer knows whom they talk to and what to expect."""
    reply = _greeting(state, runtime.context.company).worded_by("greeting")
    return {"draft": reply.to_json(), "stage": "greeting", "asked": None, "clarifications": 0}


def _greeting(state: SupportState, company: str) -> Draft:
    turn, identity = state["turn"], state.get("identity", {})
    if turn.get("answer") == "no" or turn.get("readings", [("", 0)])[0][0] == "decline":
        return draft("all_right")
    if identity.get("customer"):
        return draft("greeting_known", company=company, email=str(identity.get("email")))
    return draft("greeting", company=company)
