"""Writes the proposal down, immutable and named by its digest."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.deeds.table import DEEDS
from nodes.case.weighing import requests, verdicts
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.ledger.digest import digest_of
from tools.ledger.types import Action


async def record_proposal(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """What the customer will say yes to cannot change afterwards."""
    context = runtime.context
    request = requests.validate_python(state["request"])
    verdict = verdicts.validate_python(state["verdict"])
    details = state.get("details", {})
    facts = await DEEDS[request.kind].evidence(context.billing, request.target, details)
    evidence = {"stripe": facts, "terms": details}
    now = context.now()
    action = Action(
        id=state["case_id"],
        thread=state["thread"],
        kind=request.kind,
        customer=request.customer,
        target=request.target,
        amount=request.amount,
        reason=request.ground,
        details=details,
        evidence=evidence,
        policy_version=verdict.policy_version,
        rule=verdict.rule,
        outcome=verdict.outcome,
        digest=digest_of(
            kind=request.kind,
            customer=request.customer,
            target=request.target,
            amount=request.amount,
            policy_version=verdict.policy_version,
            evidence=evidence,
        ),
        state="proposed",
        proposer=state.get("proposer", "assistant"),
        approvals_needed=verdict.people,
        deadline=now + context.policy.proposal_lasts,
        created=now,
        updated=now,
    )
    await context.ledger.propose_action(action)
    return {"progress": "proposed", "digest": action.digest}
