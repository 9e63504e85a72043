"""Tells the customer how a case ended that went on without them."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.outcomes import outcome_draft
from nodes.state import SupportState
from nodes.thread import thread_of


async def deliver_notice(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Approved or rejected, the customer hears it on the thread, with receipt or reason."""
    said = await notice_draft(str((state.get("notice") or {}).get("case_id")), thread_of(runtime), runtime.context)
    return {"draft": said.to_json(), "notice": None, "turn": {"message_id": "", "text": "", "masked": []}}


async def notice_draft(case: str, thread: str, context: Context) -> Draft:
    """How the case stands now. Raises `LookupError` for a case of another thread."""
    action = await context.ledger.action(case)
    if action is None or action.thread != thread:
        raise LookupError(f"no case {case} on this thread")
    bound = (await context.verifier.session(thread)).customer
    if bound not in {None, action.customer}:
        return draft("notice_withheld")
    events = await context.ledger.action_events(action.id)
    said, _ = outcome_draft(action, await context.ledger.receipt_of(action.id), reason=events[-1].reason)
    approved = any(event.state == "approved" for event in events)
    return (draft("approved_prefix") if approved and action.state == "succeeded" else Draft()) + said
