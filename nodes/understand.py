"""Reads the message: intents with probabilities, slots, language. A proposal, never a decision."""

from dataclasses import asdict
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.state import SupportState
from tools.nlu.answers import plain_answer


async def understand(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer is understood in their own words, with several wishes in one message."""
    turn = state["turn"]
    if not turn["text"] or turn["screen"] != "safe":
        return {}
    earlier = [m.text for m in state["messages"] if isinstance(m, HumanMessage) and m.id != turn["message_id"]]
    reading = await runtime.context.understander.understand(turn["text"], history=tuple(earlier[-3:]))
    return {
        "turn": {
            **turn,
            "readings": [(r.intent, r.confidence) for r in reading.readings],
            "slots": {name: value for name, value in asdict(reading.slots).items() if value is not None},
            "language": reading.language,
            "answer": plain_answer(turn["text"]),
        }
    }
