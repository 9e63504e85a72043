"""Hands the conversation to a person, with everything they need."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, done, draft
from nodes.packet import packet
from nodes.promising import answer_draft, promise_answer
from nodes.state import SupportState
from nodes.thread import thread_of


async def escalate(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer gets a ticket number and a real place in the queue, and repeats nothing."""
    said, handed = await hand_over(state, runtime, state.get("why") or "asked for a person")
    return {"draft": (Draft.from_json(state.get("draft")) + said).worded_by("escalation").to_json(), **handed}


async def hand_over(state: SupportState, runtime: Runtime[Context], reason: str) -> tuple[Draft, dict[str, Any]]:
    """Opens the ticket, or finds the one that is open: what to say of it and by when, and what changes in the state."""
    ledger, thread = runtime.context.ledger, thread_of(runtime)
    ticket = await ledger.open_ticket(thread, reason, packet(state, await ledger.actions(thread=thread), reason))
    position = await ledger.queue_position(ticket.id)
    promised = await promise_answer(ticket, ledger)
    said = draft("handover", ticket=ticket.id, position=position).then(answer_draft(promised, runtime.context.now()))
    update = {
        "ticket": {"id": ticket.id, "position": position},
        "stage": "escalated",
        "asked": None,
        "clarifications": 0,
        "handover": None,
    }
    return said + done("handover"), update
