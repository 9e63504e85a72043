"""What wakes a case that waits: a word on exactly its digest."""

from dataclasses import dataclass

from tools.errors import StaleDecision
from tools.ledger.types import ActionState


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The decision is in the ledger already; this only says of which action, and how far it is."""

    digest: str
    state: ActionState

    def on(self, digest: str | None) -> None:
        """Raises `StaleDecision` unless it is a word on this digest."""
        if self.digest != digest:
            raise StaleDecision
