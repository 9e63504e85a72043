"""The conversation: every edge and every router of it."""

from typing import Literal, get_args

from langgraph.graph import START, StateGraph

from nodes.answer_policy import answer_policy
from nodes.clarify import clarify
from nodes.close_conversation import close_conversation
from nodes.context import Context
from nodes.deliver_notice import deliver_notice
from nodes.escalate import escalate
from nodes.fetch_billing import fetch_billing
from nodes.greet import greet
from nodes.human_agent import human_agent
from nodes.identify_user import identify_user
from nodes.plan_turn import plan_turn
from nodes.present_options import present_options
from nodes.recall_identity import recall_identity
from nodes.redirect import redirect
from nodes.reply import reply
from nodes.resolve_billing import resolve_billing
from nodes.retrieve_policy import retrieve_policy
from nodes.screen_input import screen_input
from nodes.settle_proposal import settle_proposal
from nodes.state import SupportInput, SupportOutput, SupportState
from nodes.understand import understand
from nodes.withdraw_request import withdraw_request

Next = Literal[
    "greet", "identify_user", "answer_policy", "clarify", "redirect", "close_conversation",
    "settle_proposal", "withdraw_request", "escalate", "fetch_billing", "retrieve_policy",
]  # fmt: skip
Onward = Literal["fetch_billing", "retrieve_policy", "reply"]


def by_occasion(state: SupportState) -> Literal["screen_input", "deliver_notice"]:
    return "deliver_notice" if state.get("notice") else "screen_input"


def by_step(state: SupportState) -> list[Next]:
    if state["step"] == "fetch_billing":
        return ["fetch_billing", "retrieve_policy"]
    return [state["step"]]


def by_proposal(state: SupportState) -> Literal["resolve_billing", "reply"]:
    return "resolve_billing" if state.get("proposal") else "reply"


def by_remaining_goals(state: SupportState) -> list[Onward]:
    if state.get("goals") and state.get("asked") is None:
        return ["fetch_billing", "retrieve_policy"]
    return ["reply"]


def by_who_has_it(state: SupportState) -> Literal["human_agent", "__end__"]:
    return "human_agent" if state.get("ticket") else "__end__"


builder = (
    StateGraph(SupportState, Context, input_schema=SupportInput, output_schema=SupportOutput)
    .add_node(screen_input)
    .add_node(recall_identity)
    .add_node(understand)
    .add_node(plan_turn)
    .add_node(greet)
    .add_node(identify_user)
    .add_node(fetch_billing)
    .add_node(retrieve_policy)
    .add_node(present_options)
    .add_node(resolve_billing)
    .add_node(settle_proposal)
    .add_node(withdraw_request)
    .add_node(answer_policy)
    .add_node(clarify)
    .add_node(redirect)
    .add_node(close_conversation)
    .add_node(deliver_notice)
    .add_node(escalate)
    .add_node(reply)
    .add_node(human_agent)
    .add_conditional_edges(START, by_occasion)
    .add_edge("screen_input", "recall_identity")
    .add_edge("screen_input", "understand")
    .add_edge(["recall_identity", "understand"], "plan_turn")
    .add_conditional_edges("plan_turn", by_step, list(get_args(Next)))
    .add_edge(["fetch_billing", "retrieve_policy"], "present_options")
    .add_conditional_edges("present_options", by_proposal)
    .add_edge("resolve_billing", "reply")
    .add_conditional_edges("settle_proposal", by_remaining_goals, list(get_args(Onward)))
    .add_edge("greet", "reply")
    .add_edge("identify_user", "reply")
    .add_edge("answer_policy", "reply")
    .add_edge("clarify", "reply")
    .add_edge("redirect", "reply")
    .add_edge("close_conversation", "reply")
    .add_edge("deliver_notice", "reply")
    .add_edge("escalate", "reply")
    .add_edge("withdraw_request", "reply")
    .add_conditional_edges("reply", by_who_has_it)
    .add_conditional_edges("human_agent", by_who_has_it)
)
