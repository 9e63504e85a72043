"""Masks secrets and flags instructions in disguise, before anything else reads the text."""

from typing import Any, assert_never

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.state import STATE_VERSION, SupportState, Turn
from tools.safety.mask import mask
from tools.safety.screen import screen
from tools.safety.types import Safe, ScreenVerdict, Unknown, Unsafe


async def screen_input(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer's card number never reaches a model. The server's door does this first; here it is done again."""
    message = next((m for m in reversed(state.get("messages", [])) if isinstance(m, HumanMessage)), None)
    if message is None or state.get("handover"):
        return {"version": STATE_VERSION, "draft": None, "turn": Turn(message_id="", text="", screen="safe", slots={})}
    masked = mask(message.text)
    found = [*message.additional_kwargs.get("masked", []), *masked.found]
    turn = Turn(
        message_id=message.id or "",
        text=masked.text,
        screen=_verdict(screen(masked.text)),
        masked=found,
        slots={},
        button=message.additional_kwargs.get("button"),
    )
    update: dict[str, Any] = {"version": STATE_VERSION, "draft": None, "turn": turn}
    if masked.found:
        update["messages"] = [HumanMessage(masked.text, id=message.id, additional_kwargs={"masked": found})]
    return update


def _verdict(verdict: ScreenVerdict) -> Any:
    match verdict:
        case Safe():
            return "safe"
        case Unsafe():
            return "unsafe"
        case Unknown():
            return "unknown"
        case _ as never:
            assert_never(never)
