"""The life of an action: which state may follow which, and nothing else may."""

from collections.abc import Mapping
from types import MappingProxyType

from tools.ledger.types import Action, ActionState

TRANSITIONS: Mapping[ActionState, frozenset[ActionState]] = MappingProxyType(
    {
        "proposed": frozenset({"confirmed", "declined", "expired", "void"}),
        "confirmed": frozenset({"executing", "awaiting_approval", "void"}),
        "awaiting_approval": frozenset({"approved", "rejected", "expired", "void"}),
        "approved": frozenset({"executing", "void"}),
        "executing": frozenset({"succeeded", "failed", "unknown"}),
        "unknown": frozenset({"succeeded", "failed"}),
        "succeeded": frozenset(),
        "failed": frozenset(),
        "declined": frozenset(),
        "rejected": frozenset(),
        "expired": frozenset(),
        "void": frozenset(),
    }
)

LIVE: frozenset[ActionState] = frozenset({"confirmed", "awaiting_approval", "approved", "executing", "unknown"})
"""Agreed to and not at an end: at most one of a kind for each target, by a unique index too."""

ENDED: frozenset[ActionState] = frozenset(state for state, following in TRANSITIONS.items() if not following)


def may_move(action: Action, to: ActionState) -> bool:
    """By the table; and policy's outcome bars the way round a person's approval."""
    return to in TRANSITIONS[action.state] and (to != "executing" or _cleared(action))


def _cleared(action: Action) -> bool:
    match action.outcome:
        case "auto":
            return True
        case "needs_approval":
            return action.state == "approved"
        case "deny":
            return False
