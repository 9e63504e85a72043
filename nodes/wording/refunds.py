"""Money back, and invoices corrected."""

from nodes.drafting import Draft, draft
from nodes.wording.parts import method, moment, money
from nodes.wording.wording import Wording
from tools.ledger.types import Action, Receipt

REFUND_TAKES = "5–10 business days"
"""As the refund policy has it."""


def _refund(action: Action) -> Draft:
    return draft("propose_refund", what=_what(action), method=method(action))


def _what(action: Action) -> Draft:
    made, charged = moment(action, "date"), money(action, action.details["charged"])
    if charged == action.amount:
        return draft("whole_charge", amount=action.amount, date=made)
    return draft("part_of_charge", amount=action.amount, charged=charged, date=made)


def _refunded(action: Action, receipt: Receipt) -> Draft:
    return draft("refund_done", amount=action.amount, method=method(action), receipt=receipt.number, when=REFUND_TAKES)


def _effect(action: Action) -> Draft:
    """Of an open invoice less remains to pay; of a paid one the money waits for the next."""
    return draft("credit_note_lowers" if action.details["invoice_status"] == "open" else "credit_note_keeps")


def _credit_note(action: Action) -> Draft:
    said = draft("propose_credit_note", amount=action.amount, number=action.details["number"])
    return said.then(_effect(action))


def _credited(action: Action, receipt: Receipt) -> Draft:
    return draft(
        "credit_note_done",
        amount=action.amount,
        number=action.details["number"],
        effect=_effect(action),
        receipt=receipt.number,
    )


REFUND = Wording(
    name="refund",
    deed="refund",
    about=lambda action: draft("about_refund", amount=action.amount),
    propose=_refund,
    question=lambda amount: draft("ask_refund", amount=amount),
    done=_refunded,
)
CREDIT_NOTE = Wording(
    name="credit note",
    deed="credit",
    about=lambda action: draft("about_credit_note", amount=action.amount, number=action.details["number"]),
    propose=_credit_note,
    question=lambda amount: draft("ask_credit_note", amount=amount),
    done=_credited,
)
