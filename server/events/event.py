"""An event, and its place in the log."""

import json
import re
from dataclasses import dataclass

from tools.errors import Unprocessable

START = "0-0"
GAP = "Some earlier events are no longer kept. Read the state of the thread again."


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a run. `data` is JSON text; `previous` is the id of the entry before it, empty for the first."""

    id: str
    run: str
    event: str
    data: str
    previous: str = ""


def gap(before: Event) -> Event:
    return Event(id=before.previous or START, run=before.run, event="gap", data=json.dumps({"message": GAP}))


def order(entry_id: str) -> tuple[int, int]:
    """What ids are in order by: milliseconds since 1970, and the count within one."""
    ms, _, count = entry_id.partition("-")
    return int(ms), int(count)


def position(last_event_id: str) -> str:
    """Where to start reading: after this id, or from the start for `-1`."""
    if last_event_id == "-1":
        return START
    if not re.fullmatch(r"\d{1,15}-\d{1,9}", last_event_id):
        raise Unprocessable("Last-Event-ID must be -1 or the id of an event of this stream.")
    return last_event_id
