"""What is left of the record of an action when its customer's details are erased: sums, days, ids, rules, who decided.

What may stay is listed by name, so that a field that nobody thought of goes. The digest of what will be left of a
receipt is in the audit log from the day it is issued, so these rules never change: new ones get a version of their own.
"""

from collections.abc import Iterable
from typing import Any

from tools.ledger.people import is_person
from tools.ledger.types import Json

ERASED = "details erased"

_KEPT = frozenset(
    {
        # what was acted on, by its id or number
        "charge", "customer", "duplicate_of", "disputes", "evidence_ids", "invoice", "invoice_number", "item", "items",
        "number", "payment_method", "price", "subscription", "tax_ids",
        # on which terms
        "billed", "discount", "due", "end", "cancel_at", "date", "interval", "new_due", "new_plan", "next_at",
        "period_end", "period_start", "place", "plan", "proration_date", "resumes", "resumes_at", "schedule",
        "trial_end",
        # how it stood
        "invoice_status", "status",
        # the two halves of the evidence
        "stripe", "terms",
    }
)  # fmt: skip


def without_details(value: Any) -> Any:
    """Numbers, truths and what is listed stay; of everything else, the mark that it was there."""
    match value:
        case dict():
            return {name: without_details(held) if name in _KEPT else _mark(held) for name, held in value.items()}
        case list():
            return [without_details(one) for one in value]
        case _:
            return value


def receipt_without_details(body: Json) -> Json:
    """The body of a receipt, with what people wrote and what identifies a customer beyond ids taken out."""
    said: Json = {**body, "evidence": without_details(body.get("evidence"))}
    said["approved_by"] = _without_words(body.get("approved_by", []), "agent")
    said["steps"] = _without_words(body.get("steps", []), "actor")
    return said


def _without_words(said: Iterable[Json], who: str) -> list[Json]:
    return [one | {"reason": ERASED} if one["reason"] and is_person(one[who]) else one for one in said]


def _mark(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {name: _mark(held) for name, held in value.items()}
        case _:
            return ERASED
