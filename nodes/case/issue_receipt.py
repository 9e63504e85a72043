"""Writes the counterfoil, and the promise that goes with it."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.deeds.table import DEEDS
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.ledger.types import Action, ActionEvent


async def issue_receipt(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The customer holds a number under which everything can be checked a year later."""
    ledger = runtime.context.ledger
    action = await ledger.action(state["case_id"])
    if action is None:
        raise LookupError(state["case_id"])
    await ledger.issue_receipt(action.id, receipt_body(action, await ledger.action_events(action.id)))
    for owed in DEEDS[action.kind].owed(action):
        await ledger.promise(action.thread, owed.kind, owed.text, owed.due, action=action.id)
    return {"progress": "done"}


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
