"""Ends well: asks for a rating, or takes it."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import draft
from nodes.state import SupportState
from nodes.thread import thread_of


async def close_conversation(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer can say how it went, in one digit."""
    if state.get("asked") != "rating":
        return {"draft": draft("close").to_json(), "stage": "success", "asked": "rating", "clarifications": 0}
    rating = next((int(letter) for letter in state["turn"]["text"] if letter in "12345"), None)
    if rating is None:
        return {"draft": draft("rating_thanks").to_json(), "asked": None}
    await runtime.context.ledger.record_feedback(thread_of(runtime), rating, "")
    return {"draft": draft("rating_thanks").to_json(), "asked": None}
