"""What customers are told that people will do and by when, and what becomes of it when its action ends."""

from datetime import datetime, timedelta
from typing import Literal

from nodes.drafting import Draft, draft
from tools.business_days import one_business_day_after
from tools.ledger.ledger import Ledger
from tools.ledger.transitions import ENDED, LIVE
from tools.ledger.types import Action, ActionEvent, Promise, RefundOutcome, Ticket

ANSWER = "answer_by"
"""Of an action: a colleague decides. Without one: a colleague answers in the conversation."""
OUTCOME = "outcome"
"""Of an action whose end was not known yet when the customer was told: they hear here how it ended."""
OUTCOME_KNOWN = timedelta(hours=24)
"""By then Stripe has answered or forgotten; what waits for a person has that one's time."""
USUALLY = "one business day"
"""As the refund policy and the contact page have it. The day that we are held to is kept as a promise."""
DECIDED = frozenset({"approved", "rejected"})
OVER = ENDED - {"succeeded"}
"""States of an action after which nothing more comes of it."""


async def promise_answer(ticket: Ticket, ledger: Ledger) -> Promise:
    """The same one however often the conversation is handed over while the ticket is open."""
    due = one_business_day_after(ticket.created)
    return await ledger.promise(ticket.thread, ANSWER, f"a colleague answers ticket {ticket.id}", due)


def answer_draft(promise: Promise, now: datetime) -> Draft:
    """By when, unless that is over or somebody has answered already."""
    if not promise.open or promise.due <= now:
        return Draft()
    return draft("promise_answer_by", day=promise.due, time=f"{promise.due:%H:%M}")


async def promise_decision(action: Action, ledger: Ledger) -> None:
    """For who was told that a colleague decides: not for what the desk itself or a payment plan asked for."""
    events = await ledger.action_events(action.id)
    agreed = next((event for event in events if (event.state, event.actor) == ("confirmed", "customer")), None)
    if agreed:
        await ledger.promise(
            action.thread, ANSWER, "a colleague decides", one_business_day_after(agreed.at), action=action.id
        )


async def decision_draft(action: Action, ledger: Ledger, now: datetime) -> Draft:
    """By when a colleague decides."""
    for promise in await ledger.promises(action=action.id):
        if promise.kind == ANSWER and promise.open and promise.due > now:
            return draft("promise_decide_by", usually=USUALLY, day=promise.due, time=f"{promise.due:%H:%M}")
    return Draft()


async def promise_outcome(action: Action, ledger: Ledger, now: datetime) -> None:
    """Where we say "I'll tell you here". So a process that dies before it can tell leaves somebody who will."""
    if action.state in LIVE:
        due = action.deadline or now + OUTCOME_KNOWN
        await ledger.promise(action.thread, OUTCOME, "the customer hears how it ended", due, action=action.id)


async def keep_answers(thread: str, ledger: Ledger) -> None:
    """A person has spoken here, or has dealt with it."""
    for promise in await ledger.promises(thread=thread):
        if promise.kind == ANSWER and promise.action is None and promise.open:
            await ledger.keep_promise(promise.id)


async def settle_promises(action: Action, ledger: Ledger) -> None:
    """What the state of an action does to all that was promised about it. Its customer is being told of it."""
    events = await ledger.action_events(action.id)
    for promise in await ledger.promises(action=action.id):
        match fate_of(promise, action, events) if promise.open else None:
            case "kept":
                await ledger.keep_promise(promise.id)
            case "dropped":
                await ledger.drop_promise(promise.id)


def fate_of(promise: Promise, action: Action, events: list[ActionEvent]) -> Literal["kept", "dropped"] | None:
    """An answer is kept by a decision, whatever it was, and an outcome by an end; nothing else outlives its action."""
    if promise.kind == OUTCOME:
        return "kept" if action.state in ENDED else None
    if promise.kind == ANSWER and any(event.state in DECIDED for event in events):
        return "kept"
    return "dropped" if action.state in OVER else None


def owed(action: Action, outcome: RefundOutcome) -> str:
    """For the desk: what the customer is still to get, of a refund that did not reach them."""
    because = f" ({outcome.failure_reason.replace('_', ' ')})" if outcome.failure_reason else ""
    went = f"refund {outcome.refund} {outcome.state} after it was made{because}"
    return f"{went}: {action.amount.text()} is still owed to {action.customer}"
