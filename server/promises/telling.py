"""Says something to a customer once, whoever wants it said, and however often."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import structlog

from nodes.packet import packet
from server.endings import tell_end
from server.runs.payload import Json, notice, word
from server.runs.queue import RunQueue, named_run
from tools.errors import CounterfoilError
from tools.ledger.types import Action, Run
from tools.money import Money

log = structlog.get_logger()

NOBODY = "counterfoil:stripe"
"""Owner of threads that stand in for deleted conversations."""
AT_ONCE = 3
"""So many tries follow one another; then each waits twice as long as the one before."""
PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


class NotYet(CounterfoilError):
    """Something has to come first: what went wrong is told after what was done, and is done with when it was told."""

    code = "not_yet"


def part(reply: str, **values: Any) -> Json:
    """One of the replies of `nodes.promise_words`, with its values as JSON."""
    return {"reply": reply, "values": {name: _plain(value) for name, value in values.items()}}


async def tell(
    queue: RunQueue, thread: str, name: tuple[str, ...], *parts: Json, about: Action | None = None, person: str = ""
) -> None:
    """As `say_once`, in words about a promise. `person`: why the conversation is to go to one, if it is."""
    if await queue.ledger.thread(thread):
        await say_once(queue, thread, word(list(parts), case_id=about.id if about else None, person=person), *name)
    elif about and person:
        await leave_to_a_person(queue, about, person)


async def say_once(queue: RunQueue, thread: str, payload: Json, *name: str) -> None:
    """Until it was said: this must not end with a run that failed or was cancelled before it spoke.

    Returns when it was said, at once when it was said before. Raises `NotYet` until then: ask again.
    """
    for attempt in count():
        run = await queue.submit(thread, payload, run_id=named_run(*name, str(attempt)))
        if not run.is_over:
            raise NotYet
        if run.status == "success" or await _spoke(queue, run):
            return
        if attempt >= AT_ONCE and datetime.now(UTC) - run.updated < _pause(attempt):
            raise NotYet


async def say_ended(queue: RunQueue, action: Action) -> bool:
    """How an action ended, under the run that whoever ended it would have told it by. Raises `NotYet` until then.

    False when nobody is left to tell.
    """
    run = await tell_end(queue, action)
    if run is None:
        return False
    if not run.is_over:
        raise NotYet
    if run.status != "success" and not await _spoke(queue, run):
        await say_once(queue, action.thread, notice(action.id), "ended", action.state, action.id)
    return True


async def leave_to_a_person(queue: RunQueue, action: Action, why: str) -> None:
    """The conversation was deleted, and with it the way to the customer."""
    log.warning("promise.nobody_to_tell", action_id=action.id, why=why)
    thread = await queue.ledger.create_thread(named_run("orphan", action.id), NOBODY, {})
    reason = f"{why}, and the conversation with {action.customer} was deleted"
    await queue.ledger.open_ticket(thread.id, reason, packet({}, [action], reason))


async def _spoke(queue: RunQueue, run: Run) -> bool:
    """A run may fail after its words are out, and they stay in the conversation."""
    told = await queue.ledger.messages(run.thread)
    return any(message.run == run.id and message.role == "assistant" for message in told)


def _pause(attempt: int) -> timedelta:
    return min(PAUSE * 2.0 ** min(attempt - AT_ONCE, 20), LONGEST_PAUSE)


def _plain(value: Any) -> Any:
    match value:
        case Money():
            return {"amount": value.amount, "currency": value.currency}
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case _:
            return value
