"""Faults of webhooks: the next `count` deliveries of matching events go wrong in the way asked for.

Ordered by `POST /_sandbox/faults` with `"target": "webhook"`. `event` is a regular expression on the event's type.

kind                what the receiver sees
duplicate           the event twice, the same id both times
out_of_order        the event after the one that follows it; alone, after `seconds` (1); several come backwards
delayed             the event `seconds` (1) later, others meanwhile
early               the event before the API call that caused it has answered (for at most `seconds`, 5)
dropped             nothing, ever
bad_signature       a signature that fits no secret
wrong_secret        a signature made with another secret
old_timestamp       a right signature, `seconds` (3600) ago
future_timestamp    a right signature, `seconds` (3600) from now
other_version       an event that calls itself rendered in `api_version` (2020-08-27)
"""

import re
from dataclasses import dataclass

KINDS = (
    "duplicate",
    "out_of_order",
    "delayed",
    "early",
    "dropped",
    "bad_signature",
    "wrong_secret",
    "old_timestamp",
    "future_timestamp",
    "other_version",
)
SECONDS = {"out_of_order": 1.0, "delayed": 1.0, "early": 5.0, "old_timestamp": 3600.0, "future_timestamp": 3600.0}


@dataclass
class WebhookFault:
    kind: str
    event: str = ".*"
    count: int | None = 1
    """None: until cleared."""
    probability: float = 1.0
    seconds: float | None = None
    api_version: str = "2020-08-27"
    target: str = "webhook"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        try:
            re.compile(self.event)
        except re.error as failure:
            raise ValueError(f"{self.event!r} is no regular expression: {failure}") from failure
        self.seconds = SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    @property
    def wait(self) -> float:
        return self.seconds or 0.0

    def matches(self, event_type: str) -> bool:
        return bool(re.fullmatch(self.event, event_type))
