"""Plans: ended, kept after all, paused, started again, changed."""

from nodes.drafting import Draft, Value, draft
from nodes.wording.parts import card_in, every, moment, money, months, seats
from nodes.wording.wording import Wording
from tools.ledger.types import Action, Receipt


def _plan(action: Action) -> str:
    return str(action.details["plan"])


def _per(action: Action) -> Draft:
    return every(action.details["interval"])


def _terms(action: Action) -> dict[str, Value | Draft]:
    """The plan and what it costs."""
    return {"plan": _plan(action), "price": action.amount, "interval": _per(action)}


def _by(action: Action) -> Draft:
    """How it is paid."""
    card = card_in(action.details)
    return draft("charged_to", method=card) if card else draft("billed_as_usual")


def _cancel(action: Action) -> Draft:
    return draft("propose_cancel", **_terms(action), end=moment(action, "end"))


def _cancelled(action: Action, receipt: Receipt) -> Draft:
    return draft("cancel_done", plan=_plan(action), end=moment(action, "end"), receipt=receipt.number)


def _undo(action: Action) -> Draft:
    return draft("propose_undo_cancel", **_terms(action), end=moment(action, "end"))


def _undone(action: Action, receipt: Receipt) -> Draft:
    return draft("undo_cancel_done", **_terms(action), end=moment(action, "end"), receipt=receipt.number)


def _pause(action: Action) -> Draft:
    return draft(
        "propose_pause",
        **_terms(action),
        months=months(action.details["months"]),
        start=moment(action, "start"),
        resumes=moment(action, "resumes"),
    )


def _paused(action: Action, receipt: Receipt) -> Draft:
    return draft(
        "pause_done",
        plan=_plan(action),
        start=moment(action, "start"),
        resumes=moment(action, "resumes"),
        receipt=receipt.number,
    )


def _resume(action: Action) -> Draft:
    return draft("propose_resume", **_terms(action), next=moment(action, "next_at"))


def _resumed(action: Action, receipt: Receipt) -> Draft:
    return draft("resume_done", **_terms(action), next=moment(action, "next_at"), receipt=receipt.number)


def _change(action: Action) -> Draft:
    return _what(action).then(_cost(action))


def _what(action: Action) -> Draft:
    details = action.details
    if details["price"] is None:
        here, there = seats(details["old_quantity"]), seats(details["quantity"])
        return draft("propose_seats", plan=_plan(action), old=here, new=there)
    return draft("propose_change", plan=_plan(action), new_plan=_new_price(action))


def _new_price(action: Action) -> Draft:
    details = action.details
    return draft("plan_price", plan=details["new_plan"], price=money(action, details["total"]), interval=_per(action))


def _cost(action: Action) -> Draft:
    """What the change costs, as Stripe reckoned it: now, and with the next invoice."""
    details = action.details
    now = details["billed"] == "now"
    following = draft(
        "change_next" if now else "change_on_next",
        next_invoice=money(action, details["next_invoice"]),
        next=moment(action, "next_at"),
    )
    return _due(action).then(following) if now else following


def _due(action: Action) -> Draft:
    if action.amount:
        if action.details.get("starts_anew"):
            return draft("change_due_anew", due=action.amount, interval=_per(action), by=_by(action))
        return draft("change_due", due=action.amount, by=_by(action))
    credit = money(action, action.details["credit"])
    return draft("change_credit", credit=credit) if credit else draft("change_free")


def _changed(action: Action, receipt: Receipt) -> Draft:
    details = action.details
    if details["price"] is None:
        said = draft("seats_done", plan=_plan(action), new=seats(details["quantity"]), receipt=receipt.number)
    else:
        said = draft("change_done", new_plan=_new_price(action), receipt=receipt.number)
    if details["billed"] != "now" or not action.amount:
        return said
    return said.then(draft("change_paid", due=action.amount, by=_by(action)))


CANCEL = Wording(
    name="cancellation",
    deed="cancel",
    about=lambda action: draft("about_cancel", plan=_plan(action)),
    propose=_cancel,
    question=lambda _: draft("ask_cancel_subscription"),
    done=_cancelled,
)
UNDO_CANCEL = Wording(
    name="renewal of your plan",
    deed="resume",
    about=lambda action: draft("about_undo_cancel", plan=_plan(action)),
    propose=_undo,
    question=lambda _: draft("ask_undo_cancel"),
    done=_undone,
)
PAUSE = Wording(
    name="pause of your plan",
    deed="pause",
    about=lambda action: draft("about_pause", plan=_plan(action)),
    propose=_pause,
    question=lambda _: draft("ask_pause"),
    done=_paused,
)
RESUME = Wording(
    name="end of the pause of your plan",
    deed="resume",
    about=lambda action: draft("about_resume", plan=_plan(action)),
    propose=_resume,
    question=lambda _: draft("ask_resume"),
    done=_resumed,
)
CHANGE = Wording(
    name="change of your plan",
    deed="change_plan",
    about=lambda action: draft("about_change", plan=_plan(action)),
    propose=_change,
    question=lambda amount: draft("ask_change", amount=amount) if amount else draft("ask_change_free"),
    done=_changed,
)
