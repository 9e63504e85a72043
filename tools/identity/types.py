"""What the rest of Counterfoil may know about who is writing."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["verified", "wrong", "locked", "expired", "ambiguous", "no_account"]
Level = Literal[0, 1, 2]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of the last code that was typed."""

    message_id: str
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Session:
    """Level 0 may ask about policy, 1 may read billing, 2 may act.

    `last.outcome == "verified"` at level 0 means: the address is proved (`email`), but Stripe could not be
    asked yet whose it is. Every `session()` asks again while the proof lasts.
    """

    level: Level
    email: str | None
    customer: str | None
    challenge: Literal["none", "pending", "locked"]
    address: str | None
    """What is being verified, as the customer typed it: an e-mail address or a phone number."""
    tries_left: int
    last: Attempt | None
