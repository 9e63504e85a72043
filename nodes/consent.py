"""A customer's yes or no to one proposal, by words or by button: the same checks and the same answers."""

from dataclasses import dataclass, replace
from typing import Any, Self

from langchain_core.messages import HumanMessage

from nodes.case.check_evidence import CHANGED
from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.levels import goal_of
from nodes.outcomes import outcome_draft, waiting_draft
from nodes.promising import decision_draft, promise_outcome, settle_promises
from nodes.proposals import case_of, proposal_draft, question_of
from nodes.under_way import under_way
from tools.errors import AlreadyUnderWay, BillingUnavailable, Conflict
from tools.ledger.types import Action, ActionState

Json = dict[str, Any]
GONE: frozenset[ActionState] = frozenset({"void", "expired", "declined", "rejected"})
"""Ended without anything being done: a yes to it means nothing any more."""
ASSISTANT = "assistant"
"""Proposer of what the customer asked for in the conversation."""
REFUSED = "the payment provider refused it"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered, named by its digest."""

    case: str
    digest: str
    yes: bool

    @classmethod
    def by_button(cls, button: Json) -> Self:
        return cls(case=button["case_id"], digest=button["digest"], yes=button["answer"] == "yes")

    @classmethod
    def by_words(cls, case: Json, answer: str | None) -> Self:
        return cls(case=case["id"], digest=case["digest"], yes=answer == "yes")


def pressed(payload: Json) -> HumanMessage:
    """A press of a card's button as the conversation has it."""
    button = {name: payload.get(name) for name in ("case_id", "digest", "answer", "kind")}
    return HumanMessage(payload["text"], id=payload["message_id"], additional_kwargs={"button": button})


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What to say, what is asked with it, and the proposal that is now the pending one."""

    said: Draft
    offers_person: bool = False
    pending: Json | None = None
    again: tuple[str, ...] = ()
    """The wish to look at anew, on the facts as they are now."""

    @property
    def update(self) -> Json:
        asked = "handover" if self.offers_person else "confirm" if self.pending else None
        return {"case": self.pending, "asked": asked, "why": REFUSED if self.offers_person else ""}


async def settle(answer: Answer, *, customer: str | None, context: Context) -> Settled:
    """Carries out what was agreed to, or leaves it. Whoever is not the proposal's customer changes nothing."""
    action = await context.ledger.action(answer.case)
    if action is None or action.customer != customer:
        return Settled(said=draft("other_account"))
    return await _move(answer, action, context)


async def settle_pressed(
    answer: Answer, *, thread: str, customer: str | None, pending: Json | None, context: Context
) -> Settled:
    """The same, of a button of this thread. One of an earlier card does nothing, and shows the card that counts."""
    action = await context.ledger.action(answer.case)
    if action is None or (action.thread, action.customer) != (thread, customer):
        return Settled(said=draft("other_account"))
    counts = action.state not in GONE or (action.state, answer.yes) == ("declined", False)
    if counts and action.digest == answer.digest:
        settled = await _move(answer, action, context)
        other = pending if pending and pending["id"] != answer.case else None
        return replace(settled, said=settled.said + _reminder(other), pending=other)
    return await _stale(action, pending, context)


async def _stale(pressed: Action, pending: Json | None, context: Context) -> Settled:
    current = await context.ledger.action(pending["id"]) if pending else None
    for shown in (current, pressed):
        if shown is not None and shown.state == "proposed":
            said = draft("button_stale") + proposal_draft(shown)
            return Settled(said=said, pending=case_of(shown) | {"proposer": shown.proposer})
    return Settled(said=draft("button_over"))


def _reminder(pending: Json | None) -> Draft:
    return draft("still_open", question=question_of(pending)) if pending else Draft()


async def _move(answer: Answer, asked: Action, context: Context) -> Settled:
    move = context.cases.confirm if answer.yes else context.cases.decline
    try:
        case = await move(answer.case, digest=answer.digest)
    except AlreadyUnderWay:
        return Settled(said=await _under_way(asked, context))
    except Conflict:
        return await _overtaken(answer, asked, context)
    except BillingUnavailable:
        return Settled(said=draft("billing_down"), offers_person=True)
    if case.action is not None:
        await promise_outcome(case.action, context.ledger, context.now())
        await settle_promises(case.action, context.ledger)
    if case.action is None or case.action.state == "void":
        return _anew(asked, draft("changed" if case.reason == CHANGED else "not_carried_out"))
    said, offers_person = outcome_draft(case.action, case.receipt, reason=case.reason)
    if case.action.state == "awaiting_approval":
        said = said.then(await decision_draft(case.action, context.ledger, context.now()))
    return Settled(said=said, offers_person=offers_person)


def _anew(asked: Action, said: Draft) -> Settled:
    """What a colleague had proposed has no wish behind it that could be looked at again."""
    if asked.proposer != ASSISTANT:
        return Settled(said=said)
    return Settled(said=said, again=(goal_of(asked.kind, asked.reason),))


async def _under_way(asked: Action, context: Context) -> Draft:
    """What the customer agreed to before, for the same charge, invoice or subscription."""
    other = await under_way(context.ledger, customer=asked.customer, kind=asked.kind, target=asked.target)
    return waiting_draft(other or asked)


async def _overtaken(answer: Answer, asked: Action, context: Context) -> Settled:
    """The answer came when it was no longer asked for. A no has what it wanted all the same."""
    action = await context.ledger.action(answer.case) or asked
    if action.state not in {"proposed", *GONE}:
        said, offers_person = outcome_draft(action, await context.ledger.receipt_of(action.id))
        return Settled(said=said, offers_person=offers_person)
    if not answer.yes:
        return Settled(said=draft("declined"))
    stale = action.state == "proposed" and answer.digest != action.digest
    return _anew(asked, draft("changed" if action.state == "void" or stale else "expired"))
