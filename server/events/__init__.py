"""What happened on a thread, in order: written by whoever carries its runs out, read by everybody who follows it."""

from server.events.event import GAP, START, Event, order, position
from server.events.following import POLL_SECONDS, RECHECK_SECONDS, Check, follow_run, follow_thread
from server.events.log import MOST_IN_A_MILLISECOND, EventLog
from server.events.writing import Writer

__all__ = [
    "GAP",
    "MOST_IN_A_MILLISECOND",
    "POLL_SECONDS",
    "RECHECK_SECONDS",
    "START",
    "Check",
    "Event",
    "EventLog",
    "Writer",
    "follow_run",
    "follow_thread",
    "order",
    "position",
]
