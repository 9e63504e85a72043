"""The customer's yes or no to exactly the proposal that was put to them."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.consent import Answer, Settled, settle, settle_pressed
from nodes.context import Context
from nodes.drafting import draft
from nodes.state import SupportState
from nodes.thread import thread_of


async def settle_proposal(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A yes to this digest carries it out, or sends it to a person; a no leaves everything as it was.

    A proposal that the facts have overtaken is void, and the wish behind it is looked at anew in the same reply.
    """
    runtime.stream_writer({"type": "status", "text": "Taking care of it"})
    settled = await _settle(state, thread_of(runtime), runtime.context)
    said = settled.said.then(draft("looking_again")) if settled.again else settled.said
    goals = [*settled.again, *(state.get("goals") or [])]
    done = {"draft": said.to_json(), "goals": goals, "stage": "resolve", "clarifications": 0}
    return {**done, **settled.update}


async def _settle(state: SupportState, thread: str, context: Context) -> Settled:
    turn, customer, case = state["turn"], state["identity"].get("customer"), state.get("case")
    if button := turn.get("button"):
        answer = Answer.by_button(button)
        return await settle_pressed(answer, thread=thread, customer=customer, pending=case, context=context)
    return await settle(Answer.by_words(case or {}, turn.get("answer")), customer=customer, context=context)
