"""What the rest of Counterfoil may know about who is writing."""

from dataclasses import dataclass
from typing import Literal

from tools.identity.telling_apart import Kind

Outcome = Literal[
    "verified", "wrong", "locked", "expired", "no_account", "several", "mismatch", "unchecked", "ambiguous"
]
"""Of a code or an answer. `several`: the code is right and the address has several accounts, so something is asked that
only the customer knows; `mismatch`: that was answered wrongly; `unchecked`: it could not be compared, and cost no try;
`ambiguous`: no answer tells, or none was right, so a person has to."""
Level = Literal[0, 1, 2]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of the last code or answer that was typed."""

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
    """For the code, or else for the question."""
    last: Attempt | None
    question: Kind | None = None
    """What is asked after the code, to tell several accounts on one address apart."""
    reachable: str | None = None
    """The address that was proved here before, or that the host site vouches for: a code may go there unasked."""
