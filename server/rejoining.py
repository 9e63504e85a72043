"""Where a reader was who comes back with `Last-Event-ID`, also amid the forms in which one entry of the log is told.

The last form of an entry has the entry's id, and those before it are counted: `17-0.1`, `17-0.2`, `17-0`.
"""

import math
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from server.events import Event, order

FORM = re.compile(r"(?P<entry>[^.]*)\.\d{1,3}")


def numbered(event: Event, forms: Sequence[Event]) -> list[Event]:
    counted = [replace(form, id=f"{event.id}.{count}") for count, form in enumerate(forms[:-1], 1)]
    return [*counted, *forms[-1:]]


def entry_of(last_event_id: str) -> tuple[str, bool]:
    """The id of the entry, and whether more of the same is to be told."""
    found = FORM.fullmatch(last_event_id)
    return (found["entry"], True) if found else (last_event_id, False)


async def unread(source: AsyncIterator[Event], last: str) -> AsyncIterator[Event]:
    """What comes after this event. An end that nobody wrote stands where the last entry does."""
    async for event in source:
        if event.event == "end" or not event.id or _order(event.id) > _order(last):
            yield event


def _order(name: str) -> tuple[float, ...]:
    entry, _, form = name.partition(".")
    return (*order(entry), int(form) if form else math.inf)
