"""Takes away the threads of stateless runs a while after those ended. Every server does: twice is no more than once.

What a run left open keeps its thread: a person who was asked for, or something agreed to that has yet to be told.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from server.deleting import delete, is_under_way
from server.services import Common
from tools.errors import Conflict
from tools.ledger.types import Thread

log = structlog.get_logger()

SWEEP_SECONDS = 30.0
LINGER = timedelta(minutes=1)
"""Long enough to read the end of a run: its values, or its stream once more."""
LOOK_BACK = timedelta(days=1)
"""What is older was seen by the first look of a server, or is kept by what it left open."""


async def sweep_temporary(common: Common, *, every: float = SWEEP_SECONDS) -> None:
    """Goes on for ever."""
    since = None
    while True:
        try:
            await clear_temporary(common, since=since)
            since = datetime.now(UTC) - LOOK_BACK
        except Exception:
            log.warning("temporary_sweep.failed", exc_info=True)
        await asyncio.sleep(every)


async def clear_temporary(common: Common, *, since: datetime | None = None, linger: timedelta = LINGER) -> None:
    """Once over all that began after `since` and were at rest for `linger`."""
    for thread in await common.ledger.temporary_threads(before=datetime.now(UTC) - linger, since=since):
        if not await _is_needed(common, thread):
            await _delete(common, thread)


async def _is_needed(common: Common, thread: Thread) -> bool:
    """A proposal that nobody has answered does not count: it goes, and can be confirmed no more."""
    waits = await common.ledger.ticket_of(thread.id) is not None
    return waits or await is_under_way(common.ledger, thread.id)


async def _delete(common: Common, thread: Thread) -> None:
    try:
        await delete(common, thread)
    except Conflict as why:
        log.info("temporary.put_off", thread=thread.id, why=why.code)
