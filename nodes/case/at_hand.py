"""The action that a case is about."""

from nodes.context import CaseContext
from nodes.state import CaseState
from tools.ledger.types import Action


async def action_at_hand(state: CaseState, context: CaseContext) -> Action:
    """As the ledger has it now. Raises `LookupError` when nothing is recorded under the case."""
    action = await context.ledger.action(state["case_id"])
    if action is None:
        raise LookupError(state["case_id"])
    return action
