"""Writes the counterfoil, and the promise that goes with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from langgraph.runtime import Runtime

from nodes.context import CaseContext
from nodes.outcomes import REFUND_TAKES
from nodes.state import CaseState
from tools.ledger.types import Action, ActionEvent

REFUND_DUE = timedelta(days=14)
"""Ten business days, the longest that the refund policy names."""


async def issue_receipt(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The customer holds a number under which everything can be checked a year later."""
    ledger = runtime.context.ledger
    action = await ledger.action(state["case_id"])
    if action is None:
        raise LookupError(state["case_id"])
    await ledger.issue_receipt(action.id, receipt_body(action, await ledger.action_events(action.id)))
    for kind, text, due in promises(action):
        await ledger.promise(action.thread, kind, text, due, action=action.id)
    return {"progress": "done"}


def promises(action: Action) -> list[tuple[str, str, datetime]]:
    """(kind, words, due) of everything that the customer was told will happen."""
    if action.kind == "refund":
        return [("refund_arrives", f"money back in {REFUND_TAKES}", action.updated + REFUND_DUE)]
    parts = action.details.get("schedule", [])
    return [
        (f"instalment_{place}", f"instalment of {part['amount']} {action.amount.currency}", _at_midnight(part["due"]))
        for place, part in enumerate(parts, start=1)
    ]


def _at_midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def receipt_body(action: Action, events: list[ActionEvent]) -> dict[str, Any]:
    """What was done, when, by which rule and whom, on which evidence."""
    return {
        "action": action.id,
        "kind": action.kind,
        "customer": action.customer,
        "target": action.target,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "reason": action.reason,
        "rule": action.rule,
        "policy_version": action.policy_version,
        "evidence": action.evidence,
        "action_digest": action.digest,
        "stripe_id": next((e.reason for e in events if e.state == "succeeded"), None),
        "steps": [{"state": e.state, "actor": e.actor, "at": e.at.isoformat(), "reason": e.reason} for e in events],
    }
