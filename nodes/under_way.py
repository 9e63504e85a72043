"""What was agreed to before and is not at its end: the same is not asked for twice."""

from tools.ledger.ledger import Ledger
from tools.ledger.transitions import LIVE
from tools.ledger.types import Action
from tools.policy.types import ActionKind


async def under_way(ledger: Ledger, *, customer: str, kind: ActionKind, target: str) -> Action | None:
    """The one of this kind on this charge, invoice or subscription; the ledger allows no second."""
    known = await ledger.actions(customer=customer, target=target, limit=200)
    return next((action for action in known if action.kind == kind and action.state in LIVE), None)
