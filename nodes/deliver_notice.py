"""Tells the customer how a case ended that went on without them."""

from contextlib import suppress
from typing import Any

from langgraph.runtime import Runtime

from nodes.consent import ASSISTANT
from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.escalate import hand_over
from nodes.outcomes import about, outcome_draft, undone_draft
from nodes.promise_words import worded
from nodes.promising import owed, settle_promises
from nodes.proposals import case_of, proposal_draft
from nodes.state import Json, SupportState
from nodes.thread import thread_of
from tools.errors import Conflict
from tools.ledger.types import Action, RefundOutcome


async def deliver_notice(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Approved or rejected, late or charged, the customer hears it on the thread, with receipt or reason.

    A refund that came back, and whatever else needs a person, goes to one at once.
    """
    notice = state.get("notice") or {}
    said = await notice_draft(notice, thread_of(runtime), runtime.context)
    handed = await _put(said, state, runtime.context)
    if reason := await _needs_person(notice, runtime.context):
        handing, handed = await hand_over(state, runtime, reason)
        said += handing
    return {"draft": said.to_json(), "notice": None, "turn": {"message_id": "", "text": "", "masked": []}, **handed}


async def notice_draft(notice: Json, thread: str, context: Context) -> Draft:
    """How the case stands now, or what `says` has. Raises `LookupError` for a case of another thread."""
    case, says = notice.get("case_id"), notice.get("says") or []
    action = await context.ledger.action(case) if case else None
    if (case or not says) and (action is None or action.thread != thread):
        raise LookupError(f"no case {case} on this thread")
    if action is None:
        return worded(says, None, None)
    if not says:
        await settle_promises(action, context.ledger)
    bound = (await context.verifier.session(thread)).customer
    if bound not in {None, action.customer}:
        return draft("promise_withheld" if says else "notice_withheld")
    if says:
        return worded(says, action, await context.ledger.receipt_of(action.id))
    if outcome := await undone(action.id, context):
        return undone_draft(action, outcome)
    return await _ended(action, context)


async def _put(said: Draft, state: SupportState, context: Context) -> dict[str, Any]:
    """A colleague's proposal takes the place of the one that was pending: none is agreed to by mistake later."""
    shown = next((card["id"] for card in said.cards if card["type"] == "proposal"), None)
    action = await context.ledger.action(shown) if shown else None
    if action is None:
        return {}
    pending = state.get("case")
    if pending and pending["id"] != action.id and pending.get("proposer", ASSISTANT) == ASSISTANT:
        with suppress(Conflict):  # it was settled meanwhile, elsewhere
            await context.cases.withdraw(pending["id"], digest=pending["digest"], why="a colleague proposed another")
    return {"case": case_of(action) | {"proposer": action.proposer}, "asked": "confirm", "stage": "resolve"}


async def _needs_person(notice: Json, context: Context) -> str:
    """Why a person is needed, when one is."""
    if notice.get("says"):
        return str(notice.get("person") or "")
    case = str(notice.get("case_id"))
    outcome, action = await undone(case, context), await context.ledger.action(case)
    return owed(action, outcome) if outcome and action else ""


async def undone(case: str, context: Context) -> RefundOutcome | None:
    """What Stripe says of the case's refund, when the money did not get to the customer."""
    outcome = await context.ledger.refund_outcome(case)
    return outcome if outcome and outcome.undone else None


async def _ended(action: Action, context: Context) -> Draft:
    if action.state == "proposed":
        return draft("colleague_proposes") + proposal_draft(action)
    events = await context.ledger.action_events(action.id)
    if action.state == "void" and events[-1].actor == "customer":
        return draft("withdrawn", what=about(action))
    said, _ = outcome_draft(action, await context.ledger.receipt_of(action.id), reason=events[-1].reason)
    approved = any(event.state == "approved" for event in events)
    return (draft("approved_prefix") if approved and action.state == "succeeded" else Draft()) + said
