"""A customer's yes or no to one proposal, by words or by button: the same checks and the same answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from nodes.context import Case, Context
from nodes.drafting import Draft, draft
from nodes.outcomes import outcome_draft
from nodes.promising import decision_draft
from nodes.proposals import case_of, proposal_draft, question_of
from tools.errors import BillingUnavailable, Conflict
from tools.ledger.types import Action, ActionState

Json = dict[str, Any]
CONSENT_LEVEL = 2
"""A yes counts only from somebody who has just proved who they are."""
GONE: frozenset[ActionState] = frozenset({"void", "expired", "declined", "rejected"})
"""Ended without anything being done: a yes to it means nothing any more."""
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


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What to say, what is asked with it, and the proposal that is now the pending one."""

    said: Draft
    offers_person: bool = False
    pending: Json | None = None

    @property
    def update(self) -> Json:
        asked = "handover" if self.offers_person else "confirm" if self.pending else None
        return {"case": self.pending, "asked": asked, "why": REFUSED if self.offers_person else ""}


async def settle(answer: Answer, *, customer: str | None, context: Context) -> Settled:
    """Carries out what was agreed to, or leaves it. Whoever is not the proposal's customer changes nothing."""
    action = await context.ledger.action(answer.case)
    if action is None or action.customer != customer:
        return Settled(said=draft("changed"))
    return await _move(answer, context.cases.confirm if answer.yes else context.cases.decline, context)


async def settle_pressed(
    answer: Answer, *, thread: str, customer: str | None, pending: Json | None, context: Context
) -> Settled:
    """The same, of a button of this thread. One of an earlier card does nothing, and shows the card that counts."""
    action = await context.ledger.action(answer.case)
    if action is None or (action.thread, action.customer) != (thread, customer):
        return Settled(said=draft("changed"))
    counts = action.state not in GONE or (action.state, answer.yes) == ("declined", False)
    if counts and action.digest == answer.digest:
        settled = await settle(answer, customer=customer, context=context)
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


async def _move(answer: Answer, move: Callable[..., Awaitable[Case]], context: Context) -> Settled:
    try:
        case = await move(answer.case, digest=answer.digest)
    except Conflict:
        return await _unless_done(answer, context)
    except BillingUnavailable:
        return Settled(said=draft("billing_down"), offers_person=True)
    if case.action is None:
        return Settled(said=draft("changed"))
    said, offers_person = outcome_draft(case.action, case.receipt, reason=case.reason)
    if case.action.state == "awaiting_approval":
        said = said.then(await decision_draft(case.action, context.ledger, context.now()))
    return Settled(said=said, offers_person=offers_person)


async def _unless_done(answer: Answer, context: Context) -> Settled:
    """A no that was taken in before the process died is still a no; anything else moved under the customer's hands."""
    action = await context.ledger.action(answer.case)
    done = action is not None and (action.state, answer.yes) == ("declined", False)
    return Settled(said=draft("declined" if done else "changed"))
