"""While a person has the conversation, the assistant is silent, but for a warning to whoever typed a secret."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from nodes.consent import Answer, pressed, settle_pressed
from nodes.context import Context
from nodes.deliver_notice import notice_draft
from nodes.drafting import Draft, draft
from nodes.identify_user import prove_again
from nodes.levels import level_to_agree
from nodes.promising import keep_answers
from nodes.reply import SECRETS
from nodes.state import SupportState
from nodes.thread import thread_of


async def human_agent(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """What the customer writes goes to the person, and what the person writes goes to the customer.

    Each answer is typed by who sent it; the server sets the type from the caller's role.
    """
    answer = interrupt({"waiting_for": "person", "ticket": state.get("ticket")})
    match answer["type"]:
        case "customer_message":
            masked = answer.get("masked", [])
            said = HumanMessage(answer["text"], id=answer["message_id"], additional_kwargs={"masked": masked})
            warned = [_message(draft("card_warning"))] if SECRETS.intersection(masked) else []
            return {"messages": [said, *warned], "stage": "human"}
        case "agent_message":
            await keep_answers(thread_of(runtime), runtime.context.ledger)
            said_by = {"author": answer["agent"], "role": "agent", "cards": [], "citations": []}
            reply = AIMessage(answer["text"], id=answer["message_id"], name="agent", additional_kwargs=said_by)
            return {"messages": [reply], "stage": "human"}
        case "customer_decision":
            return {"messages": await _pressed(answer, runtime), "stage": "human"}
        case "notice":
            told = await notice_draft(answer, thread_of(runtime), runtime.context)
            return {"messages": [_message(told)], "stage": "human"}
        case "return_to_agent":
            await keep_answers(thread_of(runtime), runtime.context.ledger)
            return {"messages": [_message(_returned(answer))], "stage": "resolve", "ticket": None, "asked": None}
        case unknown:
            raise ValueError(f"no such answer: {unknown}")


async def _pressed(answer: dict[str, Any], runtime: Runtime[Context]) -> list[AnyMessage]:
    """A button names what it agrees to, so it counts while a person has the conversation. A typed yes is theirs."""
    return [pressed(answer), _message(await _settled(answer, runtime))]


async def _settled(decision: dict[str, Any], runtime: Runtime[Context]) -> Draft:
    context, thread = runtime.context, thread_of(runtime)
    session = await context.verifier.session(thread)
    if session.level < level_to_agree(decision.get("kind")):
        return await prove_again(runtime, session)
    answer = Answer.by_button(decision)
    settled = await settle_pressed(answer, thread=thread, customer=session.customer, pending=None, context=context)
    return settled.said


def _returned(answer: dict[str, Any]) -> Draft:
    note = (answer.get("note") or "").strip()
    if note:
        return draft("returned_note", agent=answer["agent"], note=note)
    return draft("returned", agent=answer["agent"])


def _message(said: Draft) -> AIMessage:
    extra = {"role": "assistant", "cards": list(said.cards), "citations": list(said.citations)}
    return AIMessage(said.text, name="assistant", additional_kwargs=extra)
