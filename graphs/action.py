"""A case: propose, policy, the customer's yes, perhaps a person's, execute, receipt. Every edge and router of it."""

from typing import Literal

from langgraph.graph import END, START, StateGraph

from nodes.case.assess_policy import assess_policy
from nodes.case.await_approval import await_approval
from nodes.case.await_confirmation import await_confirmation
from nodes.case.check_evidence import check_evidence
from nodes.case.execute_action import execute_action
from nodes.case.issue_receipt import issue_receipt
from nodes.case.load_case import load_case
from nodes.case.reconcile_effect import reconcile_effect
from nodes.case.record_proposal import record_proposal
from nodes.case.request_approval import request_approval
from nodes.case.weigh_again import weigh_again
from nodes.context import CaseContext
from nodes.state import CaseState

Next = Literal[
    "assess_policy", "await_confirmation", "request_approval", "await_approval",
    "check_evidence", "reconcile_effect", "issue_receipt", "__end__",
]  # fmt: skip

NEXT: dict[str, Next] = {
    "new": "assess_policy",
    "proposed": "await_confirmation",
    "confirmed": "check_evidence",
    "needs_approval": "request_approval",
    "awaiting_approval": "await_approval",
    "approved": "check_evidence",
    "executing": "reconcile_effect",
    "unknown": "reconcile_effect",
    "succeeded": "issue_receipt",
}


def by_progress(state: CaseState) -> Next:
    return NEXT.get(state["progress"], "__end__")


def by_verdict(state: CaseState) -> Literal["record_proposal", "__end__"]:
    return "__end__" if (state.get("verdict") or {})["outcome"] == "deny" else "record_proposal"


def by_evidence(state: CaseState) -> Literal["weigh_again", "__end__"]:
    return "weigh_again" if state.get("evidence") == "holds" else "__end__"


def by_clearance(state: CaseState) -> Literal["execute_action", "request_approval", "__end__"]:
    match state.get("cleared"):
        case "yes":
            return "execute_action"
        case "by_a_person":
            return "request_approval"
        case _:
            return "__end__"


def by_deed(state: CaseState) -> Literal["issue_receipt", "request_approval", "__end__"]:
    if state["progress"] == "stopped":
        return "request_approval"
    return by_outcome(state)


def by_outcome(state: CaseState) -> Literal["issue_receipt", "__end__"]:
    return "issue_receipt" if state["progress"] == "succeeded" else "__end__"


builder = (
    StateGraph(CaseState, CaseContext)
    .add_node(load_case)
    .add_node(assess_policy)
    .add_node(record_proposal)
    .add_node(await_confirmation)
    .add_node(request_approval)
    .add_node(await_approval)
    .add_node(check_evidence)
    .add_node(weigh_again)
    .add_node(execute_action)
    .add_node(reconcile_effect)
    .add_node(issue_receipt)
    .add_edge(START, "load_case")
    .add_conditional_edges("load_case", by_progress)
    .add_conditional_edges("assess_policy", by_verdict)
    .add_edge("record_proposal", "await_confirmation")
    .add_edge("await_confirmation", "load_case")
    .add_edge("request_approval", "await_approval")
    .add_edge("await_approval", "load_case")
    .add_conditional_edges("check_evidence", by_evidence)
    .add_conditional_edges("weigh_again", by_clearance)
    .add_conditional_edges("execute_action", by_deed)
    .add_conditional_edges("reconcile_effect", by_outcome)
    .add_edge("issue_receipt", END)
)
