"""What became of an action, in words that claim no more than the ledger holds."""

from nodes.case.check_evidence import CHANGED, NEVER_HAPPENED
from nodes.drafting import Draft, done, draft
from nodes.promising import USUALLY
from nodes.proposals import receipt_card
from nodes.wording.parts import DECLINED, method
from nodes.wording.table import WORDINGS
from tools.ledger.types import Action, Receipt, RefundOutcome


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
            return draft("rejected", what=about(action), reason=reason or "none given"), False
        case "declined":
            return draft("declined"), False
        case "void":
            said = draft("changed" if reason == CHANGED else "not_carried_out")
            return said.then(draft("look_again")), False
        case "expired":
            return draft("expired").then(draft("look_again")), False
        case "failed" if reason in {NEVER_HAPPENED, CHANGED}:
            return draft("failed_unconfirmed" if reason == NEVER_HAPPENED else "changed"), True
        case "failed":
            return _failure(reason)
        case _:
            return draft("unknown"), False


def about(action: Action) -> Draft:
    """Which action it is, as in "your request for ..."."""
    return WORDINGS[action.kind].about(action)


def waiting_draft(action: Action) -> Draft:
    """Of what was agreed to before, and is neither done nor refused."""
    if action.state == "awaiting_approval":
        return draft("still_waiting", what=about(action), when=USUALLY)
    return draft("under_way", what=about(action))


def undone_draft(action: Action, outcome: RefundOutcome) -> Draft:
    """A refund that we said was made, and that the bank sent back or a colleague called off."""
    template = "refund_came_back" if outcome.state == "failed" else "refund_called_off"
    card = {"type": "refund_undone", "amount": action.amount.amount, "currency": action.amount.currency}
    return draft(template, amount=action.amount, method=method(action)).with_card(card)


def _failure(reason: str) -> tuple[Draft, bool]:
    """The provider's no, with its reason where a customer can do something about it."""
    match reason:
        case "charge_already_refunded":
            return draft("already_refunded"), False
        case "tax_id_invalid":
            return draft("tax_id_refused"), True
        case _ if because := next((words for known, words in DECLINED.items() if known == reason), None):
            return draft("failed_declined", reason=because), True
        case _:
            return draft("failed"), True


def _success(action: Action, receipt: Receipt) -> Draft:
    wording = WORDINGS[action.kind]
    words = wording.done(action, receipt).with_card(receipt_card(action, receipt))
    for pressed in wording.cards(action):
        words = words.with_card(pressed)
    return Draft() + words + done(wording.deed)
