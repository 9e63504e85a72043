"""Asks policy: automatic, with a person's approval, or not at all."""

from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime
from pydantic import TypeAdapter

from nodes.context import CaseContext
from nodes.state import CaseState
from tools.policy.types import ActionRequest, Verdict

_requests = TypeAdapter(ActionRequest)
_verdicts = TypeAdapter(Verdict)


async def assess_policy(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The customer is told by which rule, and the auditor can check it."""
    context = runtime.context
    request = _requests.validate_python(state["request"])
    history = await context.ledger.refund_history(request.customer, now=context.now())
    known = replace(request, refunds_last_year=history.count_last_year, refunded_last_day=history.last_day)
    verdict = context.policy.evaluate(known)
    await context.ledger.audit(
        "policy.evaluated",
        case=state["case_id"],
        outcome=verdict.outcome,
        rule=verdict.rule,
        version=verdict.policy_version,
    )
    return {"verdict": _verdicts.dump_python(verdict, mode="json")}
