"""Takes back what the customer agreed to, while it still waits for a person."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.outcomes import about, outcome_draft
from nodes.promising import settle_promises
from nodes.state import SupportState
from tools.errors import Conflict

WHY = "withdrawn by the customer"


async def withdraw_request(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A change of mind before the decision costs nothing."""
    said = Draft()
    for waiting in state["waiting"]:
        said += await _withdraw(waiting, runtime.context)
    return {"draft": said.to_json(), "asked": None, "clarifications": 0}


async def _withdraw(waiting: dict[str, Any], context: Context) -> Draft:
    try:
        case = await context.cases.withdraw(waiting["id"], digest=waiting["digest"], why=WHY)
    except Conflict:
        action = await context.ledger.action(waiting["id"])
        if action is None:
            return Draft()
        return outcome_draft(action, await context.ledger.receipt_of(action.id))[0]
    if case.action is None:
        return Draft()
    await settle_promises(case.action, context.ledger)
    return draft("withdrawn", what=about(case.action))
