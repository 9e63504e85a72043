"""Looks after promises whose time has come, ever again, on every server at once.

| kind           | kept when                      | overdue                                                        |
|----------------|--------------------------------|----------------------------------------------------------------|
| answer_by      | a colleague decides or answers | the customer hears that it takes longer                        |
| outcome        | the customer heard the end     | it is told as soon as there is one                             |
| refund_arrives | Stripe has paid it out         | told with the bank's reference, and a person gets it           |
| payment_due    | the invoice is paid            | Stripe collects it again, and the customer hears so            |
| resumes        | the pause is over              | a person gets it                                               |
| instalment_n   | it was charged                 | it is tried again; after two that were missed the plan ends    |

What is told is told before the promise is marked: killed in between, the next sweep finds it told already.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from nodes.promising import OUTCOME
from server.promises.answers import answered, concluded, decided
from server.promises.instalments import charged
from server.promises.means import Fate, Means
from server.promises.money import paid_in_time, refund_arrived, resumed
from server.promises.telling import NotYet
from tools.errors import BillingUnavailable
from tools.ledger.types import Action, Promise

log = structlog.get_logger()

SWEEP_SECONDS = 5.0
AT_ONCE = 500
"""More than wait for Stripe in an outage of it, so that what does not need Stripe has its turn as well."""
AGAIN = timedelta(minutes=5)
"""How often those are looked at that are overdue already: they may be kept late."""
BY_ACTION: dict[str, Callable[[Promise, Action, Means], Awaitable[Fate]]] = {
    "answer_by": decided,
    "outcome": concluded,
    "refund_arrives": lambda _, action, means: refund_arrived(action, means),
    "payment_due": paid_in_time,
    "resumes": resumed,
    "instalment": charged,
}


async def sweep_promises(means: Means, *, every: float = SWEEP_SECONDS) -> None:
    """Goes on for ever."""
    looked: datetime | None = None
    while True:
        try:
            await look_after_due(means)
            if looked is None or means.now() - looked >= AGAIN:
                looked = means.now()
                await look_after_overdue(means)
        except Exception:
            log.warning("promise_sweep.failed", exc_info=True)
        await asyncio.sleep(every)


async def look_after_due(means: Means) -> None:
    for promise in await means.ledger.due_promises(means.now(), limit=AT_ONCE):
        await look_after(promise, means)
    for promise in await means.ledger.promises_of_ended(OUTCOME):
        await look_after(promise, means)


async def look_after_overdue(means: Means) -> None:
    owed = await means.ledger.overdue_promises(means.now())
    for promise in owed:
        if promise.overdue_at:
            await look_after(promise, means)
    means.metrics.promises_overdue.set(len(owed))


async def look_after(promise: Promise, means: Means) -> None:
    """Whatever is in the way of one must not be in the way of the others."""
    try:
        async with means.ledger.recording(promise=promise.id):
            await _mark(promise, await _fate(promise, means), means)
    except NotYet:
        log.info("promise.being_told", promise_id=promise.id)
    except BillingUnavailable:
        log.warning("promise.put_off", promise_id=promise.id, kind=promise.kind)
    except Exception:
        means.metrics.errors.labels("promise").inc()
        log.exception("promise.put_off", promise_id=promise.id, kind=promise.kind)


async def _fate(promise: Promise, means: Means) -> Fate:
    action = await means.ledger.action(promise.action) if promise.action else None
    if action is None:
        return await answered(promise, means) if promise.kind == "answer_by" else "overdue"
    look = BY_ACTION.get(kind_of(promise))
    return await look(promise, action, means) if look else "overdue"


async def _mark(promise: Promise, fate: Fate, means: Means) -> None:
    match fate:
        case "kept":
            await means.ledger.keep_promise(promise.id)
        case "dropped":
            await means.ledger.drop_promise(promise.id)
        case "overdue" if promise.overdue_at is None:
            await means.ledger.miss_promise(promise.id)
            log.warning("promise.overdue", promise_id=promise.id, kind=promise.kind, thread=promise.thread)
        case _:
            return
    means.metrics.promises.labels(kind_of(promise), fate).inc()


def kind_of(promise: Promise) -> str:
    """`instalment` for `instalment_2` and for another try of it."""
    return re.sub(r"_\d+.*$", "", promise.kind)
