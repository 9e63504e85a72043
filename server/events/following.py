"""The log as it grows: every entry once and in order, and a gap where entries are gone."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

from server.events.event import START, Event, gap
from server.events.log import EventLog

POLL_SECONDS = 0.5
"""How long it takes until a reader sees that it should stop."""
RECHECK_SECONDS = 5.0

Check = Callable[[], bool]
Finished = Callable[[], Awaitable[bool]]


async def follow_thread(log: EventLog, thread: str, after: str, *, stopped: Check) -> AsyncIterator[Event]:
    """Every event of every run on the thread, until `stopped`."""
    while not stopped():
        for entry in await log.read(thread, after, seconds=POLL_SECONDS):
            if after not in (START, entry.previous):
                yield gap(entry)
            yield entry
            after = entry.id


async def follow_run(
    log: EventLog, thread: str, run: str, after: str, *, stopped: Check, finished: Finished
) -> AsyncIterator[Event]:
    """The events of one run up to its `end`, or until `stopped`. `finished` asks the ledger."""
    wants_start = after == START
    look_at = 0.0
    is_over = False
    while not stopped():
        is_due = time.monotonic() >= look_at
        batch = await log.read(thread, after, seconds=0 if is_due or is_over else POLL_SECONDS)
        for entry in batch:
            mine = entry.run == run
            if after not in (START, entry.previous) or (wants_start and mine and entry.event != "metadata"):
                yield gap(entry)
            wants_start = wants_start and not mine
            after = entry.id
            if mine:
                yield entry
                if entry.event == "end":
                    return
        if batch:
            continue
        if is_over:
            yield Event(id=after, run=run, event="end", data="null")
            return
        if is_due:
            is_over, look_at = await finished(), time.monotonic() + RECHECK_SECONDS
