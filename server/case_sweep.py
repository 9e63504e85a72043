"""Takes up cases that were agreed to and left half way: a worker died, Stripe did not answer; and ends those whose time
to be agreed to is over.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from graphs.cases import GraphCases
from server.endings import tell_end
from server.runs.queue import RunQueue
from tools.errors import IllegalTransition
from tools.ledger.types import Action

log = structlog.get_logger()

SWEEP_SECONDS = 5.0
SETTLED_FOR = timedelta(seconds=10)
"""A case that moved more recently is somebody's work in progress."""


async def sweep_cases(cases: GraphCases, queue: RunQueue, *, every: float = SWEEP_SECONDS) -> None:
    """Goes on for ever. The customer hears of each case that it brought to an end.

    Where the conversation has a run to finish, that run takes its case up itself: after a restart both would walk the
    case at once, and the customer would hear of it twice.
    """
    while True:
        try:
            await expire_overdue(cases, queue)
            for action in await queue.ledger.unfinished_actions():
                await _look_after(action, cases, queue)
        except Exception:
            log.warning("case_sweep.failed", exc_info=True)
        await asyncio.sleep(every)


async def _look_after(action: Action, cases: GraphCases, queue: RunQueue) -> None:
    """What is in the way of one must not be in the way of those after it."""
    try:
        if settled(action) and not await queue.ledger.unfinished_runs(action.thread):
            await take_up(action, cases, queue)
    except Exception:
        log.warning("case_sweep.put_off", action_id=action.id, exc_info=True)


async def expire_overdue(cases: GraphCases, queue: RunQueue) -> None:
    """A proposal that nobody answered ends in silence. Of a request that nobody decided, the customer hears with the
    promise of a decision: see `server.promises.answers`.
    """
    for action in await queue.ledger.overdue_actions():
        try:
            await queue.ledger.move_action(action.id, "expired", actor="code", reason="its time is over")
        except IllegalTransition:
            continue  # somebody agreed, decided or took it back in the last moment
        log.info("case_sweep.expired", action_id=action.id, waited_in=action.state)
        await cases.go_on(action.id)


def settled(action: Action) -> bool:
    return datetime.now(UTC) - action.updated > SETTLED_FOR


async def take_up(action: Action, cases: GraphCases, queue: RunQueue) -> Action:
    """Goes on with the case, and tells the customer how it ended: once, whoever takes it up."""
    case = await cases.go_on(action.id)
    now = case.action or action
    if now.state != action.state or case.receipt:
        log.info("case_sweep.ended", action_id=action.id, state=now.state)
        if now.kind != "instalment":
            await tell_end(queue, now)
    return now
