"""Turns billing facts and policy into one clear path: an answer, a question, or a proposal."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic import TypeAdapter

from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.picture import cards_from_json, from_json, held_from_json, prices_from_json
from nodes.resolving.matter import Matter, Proposal, Resolution
from nodes.resolving.table import RESOLVERS
from nodes.state import SupportState
from tools.knowledge.types import Passage
from tools.ledger.types import Action

_proposals = TypeAdapter(Proposal)


async def present_options(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """All that was asked is answered; of several changes wished for, the first is proposed and the rest wait."""
    billing = state.get("billing") or {}
    if billing.get("status") != "ok":
        return _without_billing(state)
    said, goals, resolution = _intro(state), list(state["goals"]), Resolution()
    actions = await runtime.context.ledger.actions(customer=state["identity"].get("customer"), limit=200)
    while goals and resolution.proposal is None and resolution.asked is None:
        resolution = _resolve(goals[0], state, runtime.context, tuple(actions))
        # Two wishes of one message may come to the same answer: once is enough.
        if resolution.draft.text not in said.text or resolution.proposal:
            said += resolution.draft
        if resolution.asked is None or resolution.asked == "handover":
            goals.pop(0)
    misses = _misses(state, resolution)
    if resolution.asked == "detail" and misses > runtime.context.limits.clarifications:
        return _given_up(state, goals)
    return {
        "draft": said.to_json(),
        "goals": goals,
        "asked": resolution.asked,
        "why": "asked for something that a colleague does" if resolution.asked == "handover" else "",
        "proposal": _proposals.dump_python(resolution.proposal, mode="json") if resolution.proposal else None,
        "stage": "present_options",
        "clarifications": misses,
        **({"details": {}} if resolution.start_over else {}),
    }


def _misses(state: SupportState, resolution: Resolution) -> int:
    """How often in a row the same had to be asked for."""
    asked = state.get("asked")
    return (
        state.get("clarifications", 0) + 1 if asked == resolution.asked and asked in {"which_charge", "detail"} else 0
    )


def _given_up(state: SupportState, goals: list[str]) -> dict[str, Any]:
    """Asked often enough: a colleague finds out what is meant."""
    return {
        "draft": (_intro(state) + draft("not_understood_value")).to_json(),
        "goals": goals[1:],
        "asked": "handover",
        "why": f"what was missing for {goals[0].replace('_', ' ')} was not understood",
        "proposal": None,
        "stage": "present_options",
        "clarifications": 0,
    }


def _resolve(goal: str, state: SupportState, context: Context, actions: tuple[Action, ...]) -> Resolution:
    billing = state.get("billing") or {}
    matter = Matter(
        goal=goal,
        picture=from_json(billing["picture"]),
        prices=prices_from_json(billing.get("prices") or []),
        cards=cards_from_json(billing.get("cards") or {}),
        held=held_from_json(billing.get("held")),
        details=state.get("details") or {},
        passages=tuple(Passage(**passage) for passage in state.get("passages") or []),
        actions=actions,
        now=context.now(),
        shown=context.limits.invoices_shown,
    )
    return RESOLVERS[goal](matter)


def _intro(state: SupportState) -> Draft:
    verified = state["identity"].get("attempt") == "verified"
    return Draft.from_json(state.get("draft")) + (draft("verified_prefix") if verified else Draft())


def _without_billing(state: SupportState) -> dict[str, Any]:
    return {
        "draft": (Draft.from_json(state.get("draft")) + draft("billing_down")).to_json(),
        "asked": "handover",
        "why": "billing data could not be reached",
        "proposal": None,
        "clarifications": 0,
    }
