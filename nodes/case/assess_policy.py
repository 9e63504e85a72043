"""Asks policy: automatic, with a person's approval, or not at all."""

from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime
from pydantic import TypeAdapter

from nodes.case.automation import may_act_alone
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.policy.types import ActionRequest, Verdict

_requests = TypeAdapter(ActionRequest)
_verdicts = TypeAdapter(Verdict)


async def assess_policy(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The customer is told by which rule, and the auditor can check it."""
    context = runtime.context
    request = _requests.validate_python(state["request"])
    known = await with_history(request, context, besides=state["case_id"])
    verdict = _verdicts.dump_python(context.policy.evaluate(known), mode="json")
    await context.ledger.record_assessment(
        state["case_id"],
        state["thread"],
        "proposal",
        request=_requests.dump_python(known, mode="json"),
        verdict=verdict,
    )
    return {"verdict": verdict}


async def with_history(request: ActionRequest, context: CaseContext, *, besides: str) -> ActionRequest:
    """The request with what the ledger knows of this customer. Of sums in several currencies a foreign one goes in,
    which policy does not add up but leaves to a person.
    """
    history = await context.ledger.refund_history(request.customer, now=context.now(), besides=besides)
    foreign = [money for money in history.last_day if money.currency != request.amount.currency]
    return replace(
        request,
        refunds_last_year=history.count_last_year,
        refunded_last_day=next(iter([*foreign, *history.last_day]), None),
        refunds_last_day=history.count_last_day,
        changes_last_day=history.changes_last_day,
        automatic=await may_act_alone(context),
    )
