"""Numbers of events: one log entry becomes several, and the number says which entry, and which event of it.

| bits | what                                                        |
|------|-------------------------------------------------------------|
| 40   | the entry's milliseconds since 2025, good until 2059        |
| 6    | its count in that millisecond, which the log keeps below 64 |
| 7    | the event's place in the entry                              |

53 bits in all, which a number in JavaScript holds exactly. A number follows from the log alone: every replica gives an
event the same one, today and after a restart, whatever channels are asked for.
"""

from server.events import MOST_IN_A_MILLISECOND, START, order

EPOCH = 1_735_689_600_000
PLACES = 128
GAP, STATE, WAITING, PHASE, FIRST, LAST = 0, 1, 2, 7, 8, 127
"""Of a gap before the entry, the state then, what it waits for, how its run stands; of the entry itself; of an end that
nobody wrote."""
MOST = 2**53


def number(entry_id: str, place: int) -> int:
    if entry_id == START:
        return 0
    if not 0 <= place < PLACES:
        raise ValueError(f"an entry has no place {place}")
    milliseconds, count = order(entry_id)
    return ((milliseconds - EPOCH) * MOST_IN_A_MILLISECOND + count) * PLACES + place


def entry_of(numbered: int) -> str:
    milliseconds, count = divmod(numbered // PLACES, MOST_IN_A_MILLISECOND)
    return f"{milliseconds + EPOCH}-{count}"


def before(entry_id: str) -> str:
    """From where the entry is read."""
    milliseconds, count = order(entry_id)
    return f"{milliseconds}-{count - 1}" if count else f"{milliseconds - 1}-{MOST_IN_A_MILLISECOND}"


def time_of(entry_id: str) -> int:
    """Milliseconds since 1970."""
    return order(entry_id)[0]


def is_later(entry_id: str, other: str) -> bool:
    return order(entry_id) > order(other)
