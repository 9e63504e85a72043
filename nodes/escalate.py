"""Hands the conversation to a person, with everything they need."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import done, draft
from nodes.packet import packet
from nodes.state import SupportState
from nodes.thread import thread_of


async def escalate(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer gets a ticket number and a real place in the queue, and repeats nothing."""
    ledger, thread = runtime.context.ledger, thread_of(runtime)
    reason = state.get("why") or "asked for a person"
    handed = packet(state, await ledger.actions(thread=thread), reason)
    ticket = await ledger.open_ticket(thread, reason, handed)
    position = await ledger.queue_position(ticket.id)
    said = draft("handover", ticket=ticket.id, position=position) + done("handover")
    return {
        "draft": said.worded_by("escalation").to_json(),
        "ticket": {"id": ticket.id, "position": position},
        "stage": "escalated",
        "asked": None,
        "clarifications": 0,
        "handover": None,
    }
