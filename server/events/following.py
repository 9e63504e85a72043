"""The log as it grows: every entry once and in order, and a gap where entries are gone."""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from server.events.event import START, Event, gap
from server.events.log import EventLog

POLL_SECONDS = 1.0
"""How long it takes until a reader sees that it should stop."""
RECHECK_SECONDS = 10.0
LAST_WORDS_SECONDS = 2.0

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
    log: EventLog, thread: str, run: str, after: str, *, stopped: Check, finished: Finished, is_over: bool = False
) -> AsyncIterator[Event]:
    """The events of one run up to its `end`, or until `stopped`. `finished` asks the ledger; `is_over` it said.

    A run is over there a moment before its last words are here: they are waited for, and an end that nobody wrote is
    told only when they do not come, for their worker died in between.
    """
    wants_start = after == START
    # Whoever asks has just read whether the run goes on.
    look_at, give_up_at = (0.0 if is_over else time.monotonic() + POLL_SECONDS), math.inf
    while not stopped():
        now = time.monotonic()
        batch = await log.read(thread, after, seconds=0 if now >= min(look_at, give_up_at) else POLL_SECONDS)
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
        if now >= give_up_at:
            yield Event(id=after, run=run, event="end", data="null")
            return
        if now >= look_at:
            look_at = now + RECHECK_SECONDS
            if is_over or await finished():
                look_at, give_up_at = math.inf, now + (0 if await log.has_end(thread, run) else LAST_WORDS_SECONDS)
