"""Policy's word on a request, with what the ledger knows of its customer, and the record of both."""

from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from nodes.case.automation import may_act_alone
from nodes.context import CaseContext
from tools.ledger.assessments import Step
from tools.policy.types import ActionRequest, Verdict

requests = TypeAdapter(ActionRequest)
verdicts = TypeAdapter(Verdict)


async def weigh(
    request: ActionRequest, context: CaseContext, *, case: str, thread: str, step: Step, at: datetime | None = None
) -> Verdict:
    """As of `at`, the day it was asked for; the customer's other requests and the kill switch count as they are now."""
    known = await _with_history(request, context, besides=case)
    verdict = context.policy.evaluate(known, at=at)
    await context.ledger.record_assessment(
        case,
        thread,
        step,
        request=requests.dump_python(known, mode="json"),
        verdict=verdicts.dump_python(verdict, mode="json"),
    )
    return verdict


async def _with_history(request: ActionRequest, context: CaseContext, *, besides: str) -> ActionRequest:
    """Of sums in several currencies a foreign one goes in, which policy does not add up but leaves to a person."""
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
