"""The conversation that is had: it notes what it heard, thinks for a while, and answers word by word.

Whatever it says names the process that said it, so that two that spoke at once can be told apart afterwards.
"""

import asyncio
import operator
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from tests.fixtures.talking import Scripted

THINKS_SECONDS, WORDS = 0.2, 5


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    heard: Annotated[list[str], operator.add]
    """Ids of the customer's messages, once for each time that this step was kept."""
    answered: Annotated[int, operator.add]
    stage: str
    notice: dict[str, Any] | None
    handover: dict[str, Any] | None


def voice() -> str:
    return f"process {os.getpid()}"


class Named(Scripted):
    async def words(self, said: str) -> AsyncIterator[str]:
        words = [f"To {said}: ", *(f"word {place}, " for place in range(WORDS)), f"says {voice()}."]
        for word in words:
            await asyncio.sleep(THINKS_SECONDS / len(words))
            yield word


MODEL = Named()


async def hear(state: State) -> dict[str, Any]:
    get_stream_writer()({"type": "status", "text": f"Heard by {voice()}"})
    return {"heard": [state["messages"][-1].id], "stage": "greeting"}


async def speak(state: State) -> dict[str, Any]:
    return {"messages": [await MODEL.ainvoke(state["messages"])]}


async def close(state: State) -> dict[str, Any]:
    get_stream_writer()({"type": "status", "text": f"Closed by {voice()}"})
    return {"answered": 1, "stage": "resolve"}


builder = StateGraph(State).add_node("hear", hear).add_node("speak", speak).add_node("close", close)
builder.add_edge(START, "hear").add_edge("hear", "speak").add_edge("speak", "close").add_edge("close", END)
