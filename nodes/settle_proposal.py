"""The customer's yes or no to exactly the proposal that was put to them."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Case, Context
from nodes.drafting import Draft, draft
from nodes.outcomes import outcome_draft
from nodes.state import SupportState
from tools.errors import BillingUnavailable, Conflict


async def settle_proposal(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A yes to this digest carries it out, or sends it to a person; a no leaves everything as it was."""
    runtime.stream_writer({"type": "status", "text": "Taking care of it"})
    proposed = state.get("case") or {}
    said, offers_person = await _settle(state, proposed, runtime.context)
    return {
        "draft": said.to_json(),
        "case": None,
        "asked": "handover" if offers_person else None,
        "why": "the payment provider refused it" if offers_person else "",
        "stage": "resolve",
        "clarifications": 0,
    }


async def _settle(state: SupportState, proposed: dict[str, Any], context: Context) -> tuple[Draft, bool]:
    if proposed["customer"] != state["identity"].get("customer"):
        return draft("changed"), False
    move = context.cases.confirm if state["turn"].get("answer") == "yes" else context.cases.decline
    try:
        case: Case = await move(proposed["id"], digest=proposed["digest"])
    except Conflict:
        return draft("changed"), False
    except BillingUnavailable:
        return draft("billing_down"), True
    if case.action is None:
        return draft("changed"), False
    return outcome_draft(case.action, case.receipt, reason=case.reason)
