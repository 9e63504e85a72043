"""Confirms whose account it is: address, code by mail, and what came of the code."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.state import IdentityFacts, SupportState
from nodes.thread import thread_of
from tools.errors import MailUnavailable, RateLimited
from tools.identity.telling_apart import Kind
from tools.identity.types import Session

VALID = "ten minutes"
"""As `Verifier` makes codes."""
PROVED = 2
"""What a code gives."""
QUESTIONS: dict[Kind, str] = {"last4": "account_last4", "payment": "account_payment", "invoice": "account_invoice"}
"""The same words whoever is asked."""


async def identify_user(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer proves an address once; nothing here tells whether it has an account."""
    reply, asked = await _respond(state, runtime)
    return {
        "draft": reply.worded_by("identify").to_json(),
        "asked": asked,
        "stage": "identify",
        "clarifications": 0,
    }


async def _respond(state: SupportState, runtime: Runtime[Context]) -> tuple[Draft, str | None]:
    identity, slots = state["identity"], state["turn"]["slots"]
    if identity.get("attempt"):
        return _after_attempt(state)
    if (email := slots.get("email")) and not _is_new(email, state):
        return await _send_code(runtime, email=email)
    if phone := slots.get("phone"):
        return await _send_code(runtime, phone=phone)
    if identity.get("question"):
        return draft("account_missing", question=_question(state)), "account"
    intents = [intent for intent, _ in state["turn"].get("readings", [])[:1]]
    if "resend_code" in intents:
        return await _send_again(runtime)
    if "forgot_email" in intents:
        return draft("ask_phone"), "phone"
    if "@" in state["turn"]["text"] and not _is_new(str(email), state):
        return draft("not_an_email"), "email"
    if identity.get("challenge") == "pending":
        return draft("code_missing"), "code"
    if identity.get("reachable") and identity.get("level", 0) < PROVED:
        return await _step_up(runtime, str(identity["reachable"]))
    return draft("ask_email"), "email"


async def prove_again(runtime: Runtime[Context], session: Session) -> Draft:
    """What somebody has to do whose level does not suffice, said while a person has the conversation."""
    if session.question:
        return draft("account_missing", question=draft(QUESTIONS[session.question]))
    if session.challenge == "pending":
        return draft("code_missing")
    return (await _step_up(runtime, session.reachable))[0] if session.reachable else draft("button_unproven")


async def _step_up(runtime: Runtime[Context], email: str) -> tuple[Draft, str | None]:
    """A fresh code to the address that the customer is signed in with, or has proved before."""
    reply, asked = await _send_code(runtime, email=email)
    return (draft("code_step_up", valid=VALID) if asked == "code" else reply), asked


def _is_new(email: str, state: SupportState) -> bool:
    """The one that invoices are to go to from now on says nothing about who is there."""
    details = state.get("details") or {}
    return bool(details.get("email") == email and details.get("said") == state["turn"]["text"])


def _after_attempt(state: SupportState) -> tuple[Draft, str | None]:
    identity = state["identity"]
    match identity.get("attempt"):
        case "verified" if identity.get("customer") is None:
            return draft("billing_down"), "handover"
        case "verified":
            return draft("verified_prefix" if state.get("case") else "identified"), None
        case "no_account":
            return draft("no_account"), "email"
        case "several":
            return draft("account_several", question=_question(state)), "account"
        case "mismatch":
            return draft("account_mismatch", tries=_tries(identity), question=_question(state)), "account"
        case "unchecked":
            return draft("account_unchecked"), "account"
        case "locked":
            return draft("code_locked"), "email"
        case "expired":
            return draft("code_expired"), "email"
        case _:
            return draft("code_wrong", tries=_tries(identity)), "code"


def _question(state: SupportState) -> Draft:
    asked = state["identity"].get("question")
    if asked is None:
        raise RuntimeError("nothing is asked of this customer")
    return draft(QUESTIONS[asked])


def _tries(identity: IdentityFacts) -> str:
    left = identity.get("tries_left", 0)
    return "one try" if left == 1 else f"{left} tries"


async def _send_again(runtime: Runtime[Context]) -> tuple[Draft, str | None]:
    try:
        given = await runtime.context.verifier.resend(thread_of(runtime))
    except RateLimited:
        return draft("too_many_codes"), None
    except MailUnavailable:
        return draft("mail_down"), "handover"
    if given is None:
        return draft("ask_email"), "email"
    return draft("code_sent" if given == "email" else "code_sent_phone", valid=VALID), "code"


async def _send_code(
    runtime: Runtime[Context], *, email: str | None = None, phone: str | None = None
) -> tuple[Draft, str | None]:
    verifier, thread = runtime.context.verifier, thread_of(runtime)
    try:
        if email is not None:
            await verifier.start(thread, email)
            return draft("code_sent", valid=VALID), "code"
        await verifier.start_by_phone(thread, phone or "")
        return draft("code_sent_phone", valid=VALID), "code"
    except RateLimited:
        return draft("too_many_codes"), None
    except MailUnavailable:
        return draft("mail_down"), "handover"
