"""What every kind of action is spoken of by. A new kind is one of these, and a row in `table.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nodes.drafting import Draft
from tools.ledger.types import Action, Receipt
from tools.money import Money


def _no_card(_: Action) -> tuple[dict[str, Any], ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The same facts in every sentence: those of the action, and of its receipt once there is one."""

    name: str
    """Without an article, as in "the ... that you asked for"."""
    deed: str
    """Its name at the truth gate, where a claim of this kind is caught (`tools/safety/deeds.yaml`)."""
    about: Callable[[Action], Draft]
    """Which one of them, as in "your request for ..."."""
    propose: Callable[[Action], Draft]
    """What would be done, and with what consequence; the question comes after it."""
    question: Callable[[Money], Draft]
    """In a few words, when it is asked again. The amount is the action's."""
    done: Callable[[Action, Receipt], Draft]
    """Only what the receipt bears out."""
    cards: Callable[[Action], tuple[dict[str, Any], ...]] = _no_card
    """What the customer gets to press once it is done."""
