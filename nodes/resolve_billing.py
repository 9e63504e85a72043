"""Opens a case for what was proposed, and puts policy's answer to the customer."""

from typing import Any

from langgraph.runtime import Runtime
from pydantic import TypeAdapter

from nodes.case.deeds.subscriptions import change_of
from nodes.context import Case, Context
from nodes.drafting import Draft, draft, quoted
from nodes.levels import level_for
from nodes.outcomes import waiting_draft
from nodes.proposals import case_of, proposal_draft
from nodes.resolving.changing import with_cost
from nodes.resolving.matter import Proposal
from nodes.state import SupportState
from nodes.thread import case_id, thread_of
from nodes.under_way import under_way
from tools.errors import BillingUnavailable, Conflict, KnowledgeUnavailable, NotFound, ProofNeeded
from tools.policy.types import Verdict

_proposals = TypeAdapter(Proposal)


async def resolve_billing(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer sees exactly what would be done, or why policy does not allow it. Nothing is done yet."""
    proposal = _proposals.validate_python(state["proposal"])
    thread = thread_of(runtime)
    request = proposal.request
    if state["identity"].get("level", 0) < level_for(request.kind):
        raise ProofNeeded
    said = Draft.from_json(state.get("draft"))
    ledger = runtime.context.ledger
    if live := await under_way(ledger, customer=request.customer, kind=request.kind, target=request.target):
        told = said + waiting_draft(live)
        return {"draft": told.to_json(), "proposal": None, "asked": None, "case": None}
    opened = case_id(thread, request.kind, request.target, state["turn"]["message_id"])
    try:
        proposal = await _priced(proposal, runtime.context)
        request = proposal.request
        case = await runtime.context.cases.open(opened, thread=thread, request=request, details=proposal.details)
    except BillingUnavailable:
        return {"draft": (said + draft("billing_down")).to_json(), "proposal": None, "asked": "handover"}
    except (Conflict, NotFound):  # for one: refunds in two currencies within a day, which no limit can add up
        offer = {"draft": (said + draft("offer_person")).to_json(), "asked": "handover"}
        return {**offer, "proposal": None, "case": None, "why": "policy could not weigh it"}
    return {"stage": "resolve", "proposal": None, **await _put(case, said, runtime.context)}


async def _priced(proposal: Proposal, context: Context) -> Proposal:
    """A change of plan with what it costs, asked for in the very words in which it would be made."""
    if proposal.request.kind != "change_subscription":
        return proposal
    return with_cost(
        proposal, await context.billing.preview_change(proposal.request.target, change_of(proposal.details))
    )


async def _put(case: Case, said: Draft, context: Context) -> dict[str, Any]:
    if case.action is None:
        denial = await _denial(case.verdict, context)
        return {
            "draft": (said + denial).to_json(),
            "asked": "handover",
            "case": None,
            "why": "policy does not allow it",
        }
    action = case.action
    return {
        "draft": (said + proposal_draft(action)).to_json(),
        "asked": "confirm",
        "case": case_of(action),
    }


async def _denial(verdict: Verdict | None, context: Context) -> Draft:
    if verdict is None:
        raise RuntimeError("a case with neither action nor verdict")
    try:
        passage = await context.knowledge.section(verdict.document, verdict.anchor)
    except KnowledgeUnavailable:
        passage = None
    citation = passage.citation if passage else f"{verdict.document}, {verdict.anchor}"
    said = draft("denied", because=verdict.because, citation=citation)
    return said + Draft(facts=quoted(passage, passage.text).facts).citing(passage) if passage else said
