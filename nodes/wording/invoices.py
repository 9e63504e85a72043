"""Open invoices: in instalments, later, sent again."""

from datetime import date

from nodes.drafting import Draft, draft
from nodes.wording.parts import card_in, schedule
from nodes.wording.wording import Wording
from tools.ledger.types import Action, Receipt


def _plan(action: Action) -> Draft:
    return draft(
        "propose_plan",
        number=action.details["number"],
        remaining=action.amount,
        parts=len(action.details["schedule"]),
        schedule=schedule(action),
        paid=_paid_by(action),
    )


def _paid_by(action: Action) -> Draft:
    """Nothing is promised to happen by itself where there is no card that it could happen to."""
    card = card_in(action.details)
    return draft("plan_by_card", method=card) if card else draft("plan_without_card")


def _planned(action: Action, receipt: Receipt) -> Draft:
    return draft(
        "plan_done",
        number=action.details["number"],
        schedule=schedule(action),
        paid=_paid_by(action),
        receipt=receipt.number,
    )


def _place(action: Action) -> Draft:
    details = action.details
    return draft("instalment_of", place=details["place"], of=details["of"], number=details["number"])


def _card(action: Action) -> Draft:
    return card_in(action.details) or draft("saved_method")


def _instalment(action: Action) -> Draft:
    return draft("propose_instalment", amount=action.amount, what=_place(action), method=_card(action))


def _paid(action: Action, receipt: Receipt) -> Draft:
    return draft(
        "instalment_done",
        amount=action.amount,
        what=_place(action),
        method=_card(action),
        receipt=receipt.number,
    )


def _extension(action: Action) -> Draft:
    return draft(
        "propose_extension",
        number=action.details["number"],
        remaining=action.amount,
        due=date.fromisoformat(action.details["due"]),
        new_due=date.fromisoformat(action.details["new_due"]),
    )


def _extended(action: Action, receipt: Receipt) -> Draft:
    return draft(
        "extension_done",
        number=action.details["number"],
        new_due=date.fromisoformat(action.details["new_due"]),
        remaining=action.amount,
        receipt=receipt.number,
    )


def _resend(action: Action) -> Draft:
    details = action.details
    return draft("propose_resend", number=details["number"], total=action.amount, email=details["email"])


def _sent(action: Action, receipt: Receipt) -> Draft:
    details = action.details
    return draft("resend_done", number=details["number"], email=details["email"], receipt=receipt.number)


PAYMENT_PLAN = Wording(
    name="payment plan",
    deed="payment_plan",
    about=lambda action: draft("about_plan", number=action.details["number"]),
    propose=_plan,
    question=lambda amount: draft("ask_payment_plan", amount=amount),
    done=_planned,
)
INSTALMENT = Wording(
    name="instalment",
    deed="instalment",
    about=lambda action: draft("about_instalment", amount=action.amount, what=_place(action)),
    propose=_instalment,
    question=lambda amount: draft("ask_instalment", amount=amount),
    done=_paid,
)
EXTENSION = Wording(
    name="later due date",
    deed="credit",
    about=lambda action: draft("about_extension", number=action.details["number"]),
    propose=_extension,
    question=lambda _: draft("ask_extension"),
    done=_extended,
)
RESEND = Wording(
    name="new copy of your invoice",
    deed="send_invoice",
    about=lambda action: draft("about_resend", number=action.details["number"]),
    propose=_resend,
    question=lambda _: draft("ask_resend"),
    done=_sent,
)
