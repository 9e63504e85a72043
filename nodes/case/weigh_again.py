"""Asks policy once more, right before acting: what was automatic an hour ago may need a person now."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.at_hand import action_at_hand
from nodes.case.weighing import requests, weigh
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.errors import IllegalTransition
from tools.ledger.types import Action
from tools.policy.types import Verdict

UNWEIGHED = "what policy was asked about it is not on record"
"""Of actions of a release that did not keep it: they are asked for anew."""


async def weigh_again(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """Other requests, a new policy and the kill switch count up to the last moment; the day it was asked for stays."""
    context = runtime.context
    action = await action_at_hand(state, context)
    weighed = await context.ledger.assessments_of(action.id)
    if not weighed:
        return await _void(action, UNWEIGHED, context)
    request, asked_at = requests.validate_python(weighed[0].request), weighed[0].at
    verdict = await weigh(request, context, case=action.id, thread=action.thread, step="execution", at=asked_at)
    return await _act_on(action, verdict, context)


async def _act_on(action: Action, verdict: Verdict, context: CaseContext) -> dict[str, Any]:
    approved = action.state == "approved"
    if verdict.outcome == "auto" or (
        approved and verdict.outcome == "needs_approval" and verdict.people <= max(1, action.approvals_needed)
    ):
        return {"cleared": "yes"}
    if verdict.outcome == "needs_approval" and not approved:
        return {"cleared": "by_a_person"}
    return await _void(action, verdict.because, context)


async def _void(action: Action, why: str, context: CaseContext) -> dict[str, Any]:
    try:
        await context.ledger.move_action(action.id, "void", actor="policy", reason=why)
    except IllegalTransition:
        return {"cleared": "no"}
    return {"cleared": "no", "progress": "void"}
