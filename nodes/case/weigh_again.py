"""Asks policy once more, right before acting: what was automatic an hour ago may need a person now."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic import TypeAdapter

from nodes.case.assess_policy import with_history
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.errors import IllegalTransition
from tools.ledger.types import Action
from tools.policy.types import ActionRequest, Verdict

_requests = TypeAdapter(ActionRequest)
_verdicts = TypeAdapter(Verdict)


async def weigh_again(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """Other requests, a new policy and the kill switch count up to the last moment; the day it was asked for stays."""
    context = runtime.context
    action = await context.ledger.action(state["case_id"])
    if action is None:
        raise LookupError(state["case_id"])
    first, *_ = await context.ledger.assessments_of(action.id)
    known = await with_history(_requests.validate_python(first.request), context, besides=action.id)
    verdict = context.policy.evaluate(known, at=first.at)
    await context.ledger.record_assessment(
        action.id,
        action.thread,
        "execution",
        request=_requests.dump_python(known, mode="json"),
        verdict=_verdicts.dump_python(verdict, mode="json"),
    )
    return await _act_on(action, verdict, context)


async def _act_on(action: Action, verdict: Verdict, context: CaseContext) -> dict[str, Any]:
    approved = action.state == "approved"
    if verdict.outcome == "auto" or (
        approved and verdict.outcome == "needs_approval" and verdict.people <= max(1, action.approvals_needed)
    ):
        return {"cleared": "yes"}
    if verdict.outcome == "needs_approval" and not approved:
        return {"cleared": "by_a_person"}
    try:
        await context.ledger.move_action(action.id, "void", actor="policy", reason=verdict.because)
    except IllegalTransition:
        return {"cleared": "no"}
    return {"cleared": "no", "progress": "void"}
