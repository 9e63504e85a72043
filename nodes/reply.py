"""Speaks the draft: streamed sentence by sentence, every one of them true."""

from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.drafting import Draft, draft
from nodes.packet import summary
from nodes.proposals import question_of
from nodes.state import SupportState
from prompts.registry import Prompt, load
from tools.voice.voice import Voice

SECRETS = frozenset({"card", "cvv", "iban", "password", "api_key"})
HISTORY = 12
BINDING = frozenset({"proposal", "receipt", "refund_undone", "promise"})
LOCAL = Voice()


async def reply(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer hears one voice, whoever worded it, and nothing that the facts do not bear out."""
    said = _warned(state) + Draft.from_json(state.get("draft")) + _reminded(state)
    voice = LOCAL if _binds(said) else runtime.context.voice
    prompt = load().prompt(said.prompt)
    speaker = voice.speaker(
        prompt=prompt.stamp,
        instructions=_filled(prompt, said, state, runtime.context),
        draft=said.text,
        facts=said.facts,
    )
    message = await speaker.ainvoke(state.get("messages", [])[-HISTORY:])
    extra = {
        "role": "assistant",
        "cards": list(said.cards),
        "citations": list(said.citations),
        "stage": state.get("stage"),
    }
    spoken = AIMessage(message.text, id=message.id, name="assistant", additional_kwargs=extra)
    after: dict[str, Any] = {"draft": None, "billing": None, "passages": [], "notice": None, "handover": None}
    return {"messages": [spoken], **after, **_still_asked(state)}


def _reminded(state: SupportState) -> Draft:
    """The pending question again, after something else was answered in between."""
    case = state.get("case")
    return draft("still_open", question=question_of(case)) if case and _keeps_asking(state) else Draft()


def _still_asked(state: SupportState) -> dict[str, Any]:
    return {"asked": "confirm"} if state.get("case") and _keeps_asking(state) else {}


def _keeps_asking(state: SupportState) -> bool:
    if state.get("notice"):
        return False
    proved = state.get("step") == "identify_user" and state["identity"].get("attempt") == "verified"
    return proved or state.get("step") in {"answer_policy", "redirect", "greet"}


def _binds(said: Draft) -> bool:
    """What a yes is given to, and what was done, is said in code's own words: a model could leave the amount out."""
    return any(card["type"] in BINDING for card in said.cards)


def _warned(state: SupportState) -> Draft:
    masked = SECRETS.intersection(state.get("turn", {}).get("masked", []))
    return draft("card_warning") if masked else Draft()


def _filled(prompt: Prompt, said: Draft, state: SupportState, context: Context) -> str:
    identity = state.get("identity", {})
    known = {
        "company": context.company,
        "draft": said.text,
        "goal": ", ".join(state.get("goals") or []) or "not known yet",
        "customer": str(identity.get("email") or "not identified yet"),
        "recent": summary(state, []),
        "summary": summary(state, []),
        "reason": state.get("why") or "asked for a person",
    }
    return prompt.fill({name: known[name] for name in prompt.variables})
