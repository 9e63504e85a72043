"""What is served: three steps and a reply; or, asked to be slow, a reply that comes word by word after some seconds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

SLOW, SECONDS, WORDS = "slow", 1.0, 8
"""`slow` thinks for a second, `slow 60` for as many."""


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    count: int
    stage: str
    notice: dict[str, Any] | None
    handover: dict[str, Any] | None


class Scripted(BaseChatModel):
    """Thinks for as long as it is told to, then says some words at once."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("so it is"))])

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        raise NotImplementedError

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the interface's argument
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(float(messages[-1].text.removeprefix(SLOW).strip() or SECONDS))
        for word in range(WORDS):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=f"word {word} "))
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


MODEL = Scripted()


async def first(state: State) -> State:
    return {"count": state.get("count", 0) + 1}


async def second(state: State) -> State:
    return {"count": state["count"] + 1, "stage": "resolve"}


async def third(state: State) -> State:
    if state["messages"][-1].text.startswith(SLOW):
        return {"messages": [await MODEL.ainvoke(state["messages"])]}
    return {"count": state["count"] + 1, "messages": [AIMessage("so it is")]}


builder = StateGraph(State).add_node(first).add_node(second).add_node(third)
builder.add_edge(START, "first").add_edge("first", "second").add_edge("second", "third").add_edge("third", END)
graph = builder.compile()
