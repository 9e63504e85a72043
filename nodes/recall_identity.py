"""Reads who the server has bound to this thread. State that somebody edited counts for nothing."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.state import IdentityFacts, SupportState
from nodes.thread import thread_of


async def recall_identity(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A customer who has proved who they are is not asked again, until that proof expires."""
    session = await runtime.context.verifier.session(thread_of(runtime))
    last = session.last
    this_message = last is not None and last.message_id == state["turn"]["message_id"]
    facts = IdentityFacts(
        level=session.level,
        email=session.email,
        customer=session.customer,
        challenge=session.challenge,
        tries_left=session.tries_left,
        question=session.question,
        reachable=session.reachable,
        attempt=last.outcome if last is not None and this_message else None,
    )
    return {"identity": facts, "waiting": await _waiting(session.customer, runtime.context)}


async def _waiting(customer: str | None, context: Context) -> list[dict[str, Any]]:
    if customer is None:
        return []
    actions = await context.ledger.actions(customer=customer, state="awaiting_approval")
    return [{"id": action.id, "digest": action.digest} for action in actions]
