"""What is said of promises, put together from parts that the server chose. Each part is a reply with typed values."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from nodes.drafting import Draft, Value, draft, sentences
from nodes.proposals import receipt_card
from nodes.wording.parts import method
from nodes.wording.table import WORDINGS
from prompts.registry import load
from tools.ledger.types import Action, Receipt
from tools.money import Money

Json = dict[str, Any]

SAID = frozenset(
    {
        "promise_answer_late", "promise_decision_late", "promise_approval_expired",
        "promise_refund_late", "promise_refund_reference", "promise_refund_untraced",
        "promise_payment_over", "promise_still_paused",
        "instalment_paid", "instalment_next", "instalment_left", "instalment_paid_off", "instalment_still_open",
        "instalment_declined", "instalment_no_method", "instalment_again", "instalment_missed", "instalment_plan_ended",
        "instalment_plan_disputed",
    }
)  # fmt: skip
"""Nothing else can be asked for by a notice."""

IN_MONEY = frozenset({"refund", "credit_note", "payment_plan", "instalment"})


def worded(says: Sequence[Json], action: Action | None, receipt: Receipt | None) -> Draft:
    """The parts as one paragraph, in these very words: no model may leave an amount or a day out of them."""
    said = sentences([_part(part, action) for part in says])
    said = said.with_card({"type": "promise", "action": action.id if action else None})
    if action and receipt and action.kind == "instalment":
        return said.with_card(receipt_card(action, receipt))
    return said


def _part(part: Json, action: Action | None) -> Draft:
    name, values = part["reply"], part["values"]
    if name not in SAID:
        raise LookupError(f"no such words: {name}")
    declared = load().reply(name).variables
    filled: dict[str, Value | Draft] = {key: _typed(declared[key], value) for key, value in values.items()}
    if action and "method" in declared:
        filled["method"] = method(action) if action.details.get("last4") else draft(_unnamed(action))
    if action and "what" in declared:
        filled["what"] = _asked_for(action)
    return draft(name, **filled)


def _typed(kind: str, value: Any) -> Value:
    match kind:
        case "money":
            return Money(value["amount"], value["currency"])
        case "date":
            return date.fromisoformat(value)
        case "number":
            return int(value)
        case _:
            return str(value)


def _unnamed(action: Action) -> Literal["saved_method", "original_method"]:
    return "saved_method" if action.kind == "instalment" else "original_method"


def _asked_for(action: Action) -> Draft:
    name = WORDINGS[action.kind].name
    if action.kind not in IN_MONEY:
        return Draft(text=name)
    return draft("promise_of_amount", what=name, amount=action.amount)
