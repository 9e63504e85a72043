"""What is served: three steps and a reply; or, asked to be slow, a reply that comes word by word after some seconds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from tests.fixtures.talking import Scripted

SLOW, SECONDS, WORDS = "slow", 1.0, 8
"""`slow` thinks for a second, `slow 60` for as many."""


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    count: int
    stage: str
    notice: dict[str, Any] | None
    handover: dict[str, Any] | None


class Slow(Scripted):
    """Thinks for as long as it is told to, then says some words at once."""

    async def words(self, said: str) -> AsyncIterator[str]:
        await asyncio.sleep(float(said.removeprefix(SLOW).strip() or SECONDS))
        for word in range(WORDS):
            yield f"word {word} "


MODEL = Slow()


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
