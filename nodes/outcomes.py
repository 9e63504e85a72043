"""What became of an action, in words that claim no more than the ledger holds."""

from datetime import datetime

from nodes.drafting import Draft, done, draft
from nodes.proposals import method, schedule
from tools.ledger.types import Action, Receipt, RefundOutcome

REFUND_TAKES = "5–10 business days"
"""As the refund policy has it."""
NAMES = {"refund": "refund", "cancel_subscription": "cancellation", "payment_plan": "payment plan"}
DEEDS = {"refund": "refund", "cancel_subscription": "cancel", "payment_plan": "payment_plan"}


def outcome_draft(action: Action, receipt: Receipt | None, *, reason: str = "") -> tuple[Draft, bool]:
    """The draft, and whether it ends by offering a person."""
    match action.state:
        case "succeeded" if receipt is not None:
            return _success(action, receipt), False
        case "awaiting_approval":
            return draft("waiting_for_approval"), False
        case "confirmed" | "approved":
            return draft("queued"), False
        case "rejected":
            said = draft("rejected", what=NAMES[action.kind], amount=action.amount, reason=reason or "none given")
            return said, False
        case "declined":
            return draft("declined"), False
        case "void" | "expired":
            return draft("changed"), False
        case "failed" if reason == "charge_already_refunded":
            return draft("already_refunded"), False
        case "failed":
            return draft("failed"), True
        case _:
            return draft("unknown"), False


def undone_draft(action: Action, outcome: RefundOutcome) -> Draft:
    """A refund that we said was made, and that the bank sent back or a colleague called off."""
    template = "refund_came_back" if outcome.state == "failed" else "refund_called_off"
    card = {"type": "refund_undone", "amount": action.amount.amount, "currency": action.amount.currency}
    return draft(template, amount=action.amount, method=method(action)).with_card(card)


def _success(action: Action, receipt: Receipt) -> Draft:
    said = {"refund": _refunded, "cancel_subscription": _cancelled, "payment_plan": _planned}[action.kind]
    card = {
        "type": "receipt",
        "number": receipt.number,
        "kind": action.kind,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "at": receipt.created.isoformat(),
        "digest": receipt.digest,
    }
    words = said(action, receipt).with_card(card)
    return Draft() + words + done(DEEDS[action.kind])


def _refunded(action: Action, receipt: Receipt) -> Draft:
    return draft("refund_done", amount=action.amount, method=method(action), receipt=receipt.number, when=REFUND_TAKES)


def _cancelled(action: Action, receipt: Receipt) -> Draft:
    end = datetime.fromisoformat(action.details["end"])
    return draft("cancel_done", plan=action.details["plan"], end=end, receipt=receipt.number)


def _planned(action: Action, receipt: Receipt) -> Draft:
    return draft("plan_done", number=action.details["number"], schedule=schedule(action), receipt=receipt.number)
