"""Asks one question when the message was not understood well enough."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import draft
from nodes.proposals import question_of
from nodes.state import SupportState

PLAIN = {
    "list_invoices": "seeing your invoices",
    "invoice_pdf": "the PDF of an invoice",
    "explain_charge": "a charge you don't recognise",
    "explain_amount_change": "why an amount changed",
    "refund_status": "where a refund is",
    "duplicate_charge": "being charged twice",
    "refund_request": "getting a refund",
    "cancel_subscription": "cancelling your subscription",
    "payment_plan": "paying an invoice in instalments",
    "undo_cancel": "keeping a plan that you cancelled or paused",
    "pause_subscription": "pausing your plan",
    "change_plan": "another plan or number of seats",
    "extend_due_date": "more time to pay",
    "resend_invoice": "an invoice by e-mail once more",
    "update_payment_method": "another card",
    "change_billing_details": "what stands on your invoices",
    "policy_question": "one of our policies",
}


async def clarify(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """One short question, with the likeliest readings as choices."""
    case = state.get("case")
    if state.get("asked") == "confirm" and case:
        said = draft("not_consent", question=question_of(case))
        return {"draft": said.to_json(), "clarifications": state.get("clarifications", 0) + 1}
    guesses = [PLAIN[intent] for intent, _ in state["turn"].get("readings", []) if intent in PLAIN]
    if not any(letter.isalpha() for letter in state["turn"]["text"]):
        reply = draft("please_type")
    elif len(guesses) > 1:
        reply = draft("clarify_between", first=guesses[0], second=guesses[1])
    else:
        reply = draft("clarify")
    return {"draft": reply.to_json(), "asked": "clarify", "clarifications": state.get("clarifications", 0) + 1}
