"""Understanding by a language model: it names the intents, our own parsers read every value."""

from dataclasses import replace
from typing import Annotated, Any, cast

import structlog
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field

from tools.calls import ModelCall, Outcome, note, tokens
from tools.errors import ModelUnavailable
from tools.nlu import cues
from tools.nlu.language import detect
from tools.nlu.slots import parse
from tools.nlu.types import Intent, Reading, Slots, Understander, Understanding

log = structlog.get_logger(__name__)

_UNSEEN = "nostream"
"""LangGraph streams no token of a model call with this tag: labels are no reply."""
_NOTHING = (Reading(intent="out_of_scope", confidence=0.0),)
_HEARD = 0.05
_MOST = 3
_REMEMBERED = 6


class _ModelReading(BaseModel):
    model_config = ConfigDict(extra="forbid")
    intent: Intent
    confidence: Annotated[float, Field(ge=0, le=1)]


class _ModelUnderstanding(BaseModel):
    """What the customer wants, as intents with probabilities."""

    model_config = ConfigDict(extra="forbid")
    readings: Annotated[list[_ModelReading], Field(min_length=1)]


def _readings(answer: _ModelUnderstanding, text: str, slots: Slots) -> tuple[Reading, ...]:
    best: dict[Intent, float] = {}
    for reading in answer.readings:
        if not cues.is_possible(reading.intent, text, slots):
            continue
        best[reading.intent] = max(reading.confidence, best.get(reading.intent, 0.0))
    ranked = sorted(best.items(), key=lambda item: -item[1])
    known = tuple(Reading(intent=intent, confidence=confidence) for intent, confidence in ranked[:_MOST])
    return known or _NOTHING


class OpenAIUnderstander:
    """Any chat model with structured output. Raises `ModelUnavailable` when it errs, refuses or answers out of form."""

    def __init__(self, model: BaseChatModel, *, instructions: str, prompt: str) -> None:
        """`prompt` is the name and version of the instructions, for the audit log."""
        self._model = model.with_structured_output(_ModelUnderstanding, include_raw=True)
        self._name = str(getattr(model, "model_name", "unknown"))
        self._instructions = instructions
        self._prompt = prompt

    async def understand(self, text: str, *, history: tuple[str, ...] = ()) -> Understanding:
        cue = cues.read_cue(text, talking=bool(history))
        slots = parse(text)
        if cue is None:
            readings = _readings(await self._ask(text, history), text, slots)
        else:
            readings = (cue, *await self._beside(cue, text, history, slots))
        return Understanding(readings=readings, slots=slots, language=detect(text))

    async def _beside(self, cue: Reading, text: str, history: tuple[str, ...], slots: Slots) -> tuple[Reading, ...]:
        """The wishes that come with a code."""
        rest = cues.beside_code(text) if cue.intent == "give_code" else ""
        if not rest or cues.read_cue(rest):
            return ()
        asked = _readings(await self._ask(rest, history), rest, slots)
        return tuple(replace(r, confidence=min(r.confidence, cue.confidence)) for r in asked if r not in _NOTHING)

    async def _ask(self, text: str, history: tuple[str, ...]) -> _ModelUnderstanding:
        earlier = "\n".join(history[-_REMEMBERED:]) or "(nothing)"
        said = f"Said before:\n{earlier}\n\nMessage to label:\n{text}"
        prompt = [SystemMessage(self._instructions), HumanMessage(said)]
        answer: dict[str, Any] = {}
        try:
            answer = await self._call(prompt)
        except Exception as error:
            raise ModelUnavailable from error
        finally:
            self._note(answer)
        if not isinstance(answer["parsed"], _ModelUnderstanding):
            raise ModelUnavailable from answer["parsing_error"]
        return answer["parsed"]

    async def _call(self, prompt: list[BaseMessage]) -> dict[str, Any]:
        return cast("dict[str, Any]", await self._model.ainvoke(prompt, config={"tags": [_UNSEEN], "callbacks": []}))

    def _note(self, answer: dict[str, Any]) -> None:
        outcome: Outcome = "answered" if answer.get("parsed") else "failed"
        note(ModelCall(model=self._name, prompt=self._prompt, outcome=outcome, **tokens(answer.get("raw"))))


def _agreed(first: Understanding, second: Understanding) -> Understanding:
    """A yes may move money, so that one reader's word is not enough: what the second does not hear at all is no yes."""
    if any(reading.intent == "affirm" and reading.confidence >= _HEARD for reading in second.readings):
        return first
    log.warning("nlu.yes_not_heard")
    return replace(first, readings=tuple(r for r in first.readings if r.intent != "affirm") or _NOTHING)


class FallbackUnderstander:
    """The first, and the second whenever the first is unavailable: a lost provider is never an error page.

    A yes counts only when both hear it.
    """

    def __init__(self, first: Understander, second: Understander) -> None:
        self._first = first
        self._second = second

    async def understand(self, text: str, *, history: tuple[str, ...] = ()) -> Understanding:
        try:
            read = await self._first.understand(text, history=history)
        except ModelUnavailable as error:
            log.warning("nlu.degraded", code=error.code, cause=type(error.__cause__).__name__)
            return await self._second.understand(text, history=history)
        if all(reading.intent != "affirm" for reading in read.readings):
            return read
        return _agreed(read, await self._second.understand(text, history=history))
