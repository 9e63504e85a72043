"""The one voice that customers hear, whatever words it: a model, or the draft itself.

A reply begins as a draft that code composed from facts. With no model the draft is spoken as it is. With one, the
model words it, and each sentence passes the truth gate before it is let out. A false sentence is dropped; the model
gets one more try when nothing was said yet, and after that the draft is spoken. A model that fails, or a gate that
cannot run, ends in the draft too: never in silence, never in an unchecked word.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from tools.calls import HasUsage, ModelCall, Outcome, note, tokens
from tools.errors import ModelUnavailable
from tools.safety.sentences import Splitter
from tools.safety.truth import check
from tools.safety.types import Facts

log = structlog.get_logger()

UNSEEN = "nostream"
"""LangGraph streams no token of a model call with this tag: raw words stay behind the gate."""


class Refused(Exception):
    """The model said something that no fact bears out."""

    def __init__(self, claims: Sequence[str]) -> None:
        super().__init__(", ".join(claims))
        self.claims = tuple(claims)


class Speaker(BaseChatModel):
    """Speaks one reply. Streams like any chat model, and only what is true."""

    model: Any = None
    name_of_model: str = "local"
    prompt: str
    """Which instructions, and which version of them: `resolve@1`."""
    instructions: str
    draft: str
    facts: Facts

    @property
    def _llm_type(self) -> str:
        return "counterfoil-speaker"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("Speaker is asynchronous: use ainvoke or astream")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class asks for it
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - same
        **kwargs: Any,  # noqa: ARG002 - same
    ) -> ChatResult:
        text = "".join([piece async for piece in self._speak(messages)])
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class asks for it
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ARG002 - same
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for piece in self._speak(messages):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                await run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk

    async def _speak(self, history: list[BaseMessage]) -> AsyncIterator[str]:
        said, corrected = False, False
        prompt: list[BaseMessage] = [SystemMessage(self.instructions), *history]
        while self.model is not None:
            try:
                async for sentence in self._true_sentences(prompt):
                    said = True
                    yield sentence
            except Refused as refusal:
                log.warning("voice.refused", claims=refusal.claims)
                if said or corrected:
                    break
                corrected, prompt = True, [*prompt, HumanMessage(_correction(refusal.claims))]
            except ModelUnavailable:
                break
            else:
                if said:
                    return
                break
        for piece in _words(f"\n\n{self.draft}" if said else self.draft):
            yield piece

    async def _true_sentences(self, prompt: list[BaseMessage]) -> AsyncIterator[str]:
        """Raises `Refused` and `ModelUnavailable`. Whatever comes of it, the call is noted for the audit log."""
        splitter, counted = Splitter(), _Counted()
        outcome: Outcome = "failed"
        try:
            async for text in self._tokens(prompt, counted):
                for sentence in splitter.feed(text):
                    yield self._checked(sentence)
            for sentence in splitter.flush():
                yield self._checked(sentence)
            outcome = "answered"
        except Refused:
            outcome = "refused"
            raise
        finally:
            self._note(outcome, counted.chunk)

    def _note(self, outcome: Outcome, last: HasUsage | None) -> None:
        note(ModelCall(model=self.name_of_model, prompt=self.prompt, outcome=outcome, **tokens(last)))

    async def _tokens(self, prompt: list[BaseMessage], counted: "_Counted") -> AsyncIterator[str]:
        """The model's raw words. Raises `ModelUnavailable` for what the provider raises, and when it is cut short."""
        said: dict[str, Any] = {}
        try:
            async for chunk in self.model.astream(prompt, config={"tags": [UNSEEN], "callbacks": []}):
                said |= chunk.response_metadata
                counted.chunk = chunk if chunk.usage_metadata else counted.chunk
                yield chunk.text
        except Exception as error:
            log.warning("voice.degraded", error=type(error).__name__)
            raise ModelUnavailable from error
        if _is_cut_short(said):
            log.warning("voice.degraded", error="cut short", finish_reason=said.get("finish_reason"))
            raise ModelUnavailable

    def _checked(self, sentence: str) -> str:
        if falsehoods := check(sentence, self.facts):
            raise Refused([f"{falsehood.kind}: {falsehood.claim}" for falsehood in falsehoods])
        return sentence


@dataclass
class _Counted:
    """The chunk that told what the call has used, if one did."""

    chunk: AIMessageChunk | None = None


@dataclass(frozen=True, kw_only=True)
class Voice:
    """Makes a `Speaker` for each reply. `model` is any LangChain chat model, or None for the local provider."""

    model: BaseChatModel | None = None

    @property
    def name(self) -> str:
        return "local" if self.model is None else str(getattr(self.model, "model_name", self.model._llm_type))  # noqa: SLF001 - the public name of a model's kind

    def speaker(self, *, prompt: str, instructions: str, draft: str, facts: Facts) -> Speaker:
        return Speaker(
            model=self.model,
            name_of_model=self.name,
            prompt=prompt,
            instructions=instructions,
            draft=draft,
            facts=facts,
        )


def _words(text: str) -> list[str]:
    """Words with the space that follows them, so that joining gives the text back."""
    pieces = text.split(" ")
    return [*(piece + " " for piece in pieces[:-1]), pieces[-1]]


def _is_cut_short(metadata: Mapping[str, Any]) -> bool:
    """A model that was stopped, or an OpenAI-compatible stream that ended without saying that it was through."""
    reason = metadata.get("finish_reason")
    return reason in {"length", "content_filter"} or (reason is None and metadata.get("model_provider") == "openai")


def _correction(claims: Sequence[str]) -> str:
    return f"Write it again without what the text does not say: {'; '.join(claims)}."
