"""What a person who takes over needs to know, so that nobody has to repeat anything."""

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from nodes.state import MESSAGES_IN_STATE, SupportState
from tools.ledger.types import Action

RECENT = 12


def summary(state: SupportState, actions: list[Action]) -> str:
    """A few plain sentences, made from facts alone."""
    identity = state.get("identity", {})
    who = f"verified as {identity['email']}" if identity.get("email") else "not identified"
    goals = ", ".join(goal.replace("_", " ") for goal in state.get("goals") or []) or "none open"
    told = state.get("messages", [])
    said = [message for message in told if isinstance(message, HumanMessage)]
    parts = [
        f"Customer {who} (level {identity.get('level', 0)}).",
        f"Open goals: {goals}.",
        f"Messages from the customer: {len(said)}{' or more' if len(told) >= MESSAGES_IN_STATE else ''}.",
    ]
    if said:
        parts.append(f'Last words: "{_short(said[-1].text)}".')
    parts += [f"{action.kind} of {action.amount.text()}: {action.state}." for action in actions]
    return " ".join(parts)


def packet(state: SupportState, actions: list[Action], reason: str) -> dict[str, Any]:
    """Summary, identity, goals, actions and the last messages, as flat JSON."""
    return {
        "reason": reason,
        "summary": summary(state, actions),
        "identity": dict(state.get("identity", {})),
        "goals": list(state.get("goals") or []),
        "actions": [_action(action) for action in actions],
        "transcript": [
            {"role": "customer" if isinstance(message, HumanMessage) else "assistant", "text": message.text}
            for message in state.get("messages", [])[-RECENT:]
            if isinstance(message, HumanMessage | AIMessage)
        ],
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "kind": action.kind,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "state": action.state,
        "rule": action.rule,
        "digest": action.digest,
    }


def _short(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
