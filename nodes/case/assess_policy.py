"""Asks policy: automatic, with a person's approval, or not at all."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.case.weighing import requests, verdicts, weigh
from nodes.context import CaseContext
from nodes.state import CaseState


async def assess_policy(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """The customer is told by which rule, and the auditor can check it."""
    request = requests.validate_python(state["request"])
    verdict = await weigh(request, runtime.context, case=state["case_id"], thread=state["thread"], step="proposal")
    return {"verdict": verdicts.dump_python(verdict, mode="json")}
