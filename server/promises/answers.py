"""A colleague decides, or answers, by a time."""

from nodes.promising import fate_of
from server.promises.means import Fate, Means
from server.promises.telling import part, say_ended, tell
from tools.ledger.transitions import ENDED
from tools.ledger.types import Action, Promise


async def decided(promise: Promise, action: Action, means: Means) -> Fate:
    """Late, the customer hears that it is; the request stays open, and so does the conversation."""
    if action.state == "expired":
        await tell(means.queue, promise.thread, ("expired", action.id), part("promise_approval_expired"), about=action)
        return "dropped"
    if fate := fate_of(promise, action, await means.ledger.action_events(action.id)):
        return fate
    if action.state != "awaiting_approval":
        return "waits"
    said = part("promise_decision_late", day=promise.due, time=_time(promise))
    await tell(means.queue, promise.thread, ("decision late", promise.id), said, about=action)
    return "overdue"


async def concluded(promise: Promise, action: Action, means: Means) -> Fate:
    """However it ended, its customer hears it: also when the process that ended it died before it could say so.

    That a request expired is told with the promise of a decision.
    """
    if action.state not in ENDED:
        return "overdue" if promise.due <= means.now() else "waits"
    if action.state == "expired":
        return "kept"
    if action.state == "succeeded" and await means.ledger.receipt_of(action.id) is None:
        return "waits"
    if await means.ledger.unfinished_runs(action.thread):
        return "waits"  # it may be just what that run is about to say
    return "kept" if await say_ended(means.queue, action) else "dropped"


async def answered(promise: Promise, means: Means) -> Fate:
    """A ticket that was taken is answered, or will be by who has it."""
    if await means.ledger.thread(promise.thread) is None:
        return "dropped"
    ticket = await means.ledger.ticket_of(promise.thread)
    if ticket is None or ticket.state == "claimed" or promise.due < ticket.created:
        return "kept"
    said = part("promise_answer_late", day=promise.due, time=_time(promise), ticket=ticket.id)
    await tell(means.queue, promise.thread, ("answer late", promise.id), said)
    return "overdue"


def _time(promise: Promise) -> str:
    return f"{promise.due:%H:%M}"
