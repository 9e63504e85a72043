"""Writes the counterfoil, and the promises that go with it."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.at_hand import action_at_hand
from nodes.case.deeds.table import DEEDS
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.ledger.ledger import Ledger
from tools.ledger.receipts import on_receipt
from tools.ledger.types import Action, ActionEvent, Assessment


async def issue_receipt(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The customer holds a number under which everything can be checked a year later."""
    ledger = runtime.context.ledger
    action = await action_at_hand(state, runtime.context)
    # The receipt comes last: a case that has one is taken to be at its end, and nobody looks for what is missing.
    for owed in DEEDS[action.kind].owed(action):
        await ledger.promise(action.thread, owed.kind, owed.text, owed.due, action=action.id)
    await ledger.issue_receipt(action.id, await receipt_body(action, ledger))
    return {"progress": "done"}


async def receipt_body(action: Action, ledger: Ledger) -> dict[str, Any]:
    """What was done, when, by which rule and whom, on which evidence, and what Stripe calls it."""
    events = await ledger.action_events(action.id)
    effects = await ledger.effects(action.id)
    return {
        "action": action.id,
        "kind": action.kind,
        "customer": action.customer,
        "target": action.target,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "reason": action.reason,
        "proposed_by": action.proposer,
        "confirmed_by": next((event.actor for event in events if event.state == "confirmed"), None),
        "approved_by": [on_receipt(said) for said in await ledger.approvals(action.id)],
        "rule": action.rule,
        "policy_version": action.policy_version,
        "policy": [_weighed(one) for one in await ledger.assessments_of(action.id)],
        "evidence": action.evidence,
        "action_digest": action.digest,
        "stripe_id": next((effect.stripe_id for effect in effects if effect.stripe_id), None),
        "effects": [on_receipt(effect) for effect in effects],
        "steps": [_step(event) for event in events],
    }


def _step(event: ActionEvent) -> dict[str, Any]:
    return {"state": event.state, "actor": event.actor, "at": event.at, "reason": event.reason}


def _weighed(one: Assessment) -> dict[str, Any]:
    """With the section of the policy that the rule stands on."""
    cited = {name: one.verdict.get(name) for name in ("because", "document", "anchor")}
    return {"step": one.step, "outcome": one.outcome, "rule": one.rule, "version": one.policy_version, **cited}
