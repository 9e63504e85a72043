"""Verdicts on text that comes in, and on text that goes out."""

from dataclasses import dataclass
from typing import Literal

Secret = Literal["card", "cvv", "expiry", "iban", "code", "api_key", "password"]


@dataclass(frozen=True, kw_only=True)
class Masked:
    """Text that is safe to keep. `found` names the kinds of secret that were taken out."""

    text: str
    found: tuple[Secret, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Safe:
    """Screened and found harmless."""


@dataclass(frozen=True, kw_only=True)
class Unsafe:
    """Screened and flagged. `rule` is the stable name of what matched."""

    rule: str


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The screen could not run: hold or hand over, never treat as safe."""

    why: str


ScreenVerdict = Safe | Unsafe | Unknown


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that a reply of this turn may state as fact, in canonical form."""

    amounts: frozenset[tuple[int, str]] = frozenset()
    """(minor units, lower-case currency)."""
    dates: frozenset[str] = frozenset()
    """ISO dates, `2026-11-23`."""
    identifiers: frozenset[str] = frozenset()
    """Invoice, receipt and ticket numbers."""
    last4s: frozenset[str] = frozenset()
    durations: frozenset[str] = frozenset()
    """Spans as the documents or promises write them, `5–10 business days`."""
    deeds: frozenset[str] = frozenset()
    """Done in this conversation, with a receipt: `refund`, `cancel`, `payment_plan`, `handover`."""


@dataclass(frozen=True, kw_only=True)
class Falsehood:
    """A claim in a sentence that no fact bears out."""

    kind: Literal["amount", "date", "identifier", "last4", "duration", "deed"]
    claim: str
