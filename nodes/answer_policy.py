"""Answers from the company's own documents, with the section it stands in, or not at all."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, draft, quoted
from nodes.state import SupportState
from tools.errors import KnowledgeUnavailable
from tools.nlu.gloss import english


async def answer_policy(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A policy question needs no identity, and no answer is made up."""
    runtime.stream_writer({"type": "status", "text": "Looking in our policies"})
    reply, asked = await _answer(state, runtime.context)
    return {"draft": reply.to_json(), "asked": asked, "clarifications": 0}


async def _answer(state: SupportState, context: Context) -> tuple[Draft, str | None]:
    turn = state["turn"]
    try:
        answer = await context.knowledge.answer(english(turn["text"]), locale=turn.get("language", "en"))
    except KnowledgeUnavailable:
        return draft("knowledge_down"), "handover"
    if answer is None:
        return draft("policy_none"), "handover"
    passage = answer.passage
    return draft("policy_answer", quote=quoted(passage, answer.text), citation=passage.citation), None
