"""A conversation small enough to see through: it echoes, waits, fails or calls a person, as it is told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from typing_extensions import TypedDict

from tools.errors import BillingUnavailable

STUMBLES: list[str] = []
"""What the next try at hearing these fails on, once."""

CARD = {"type": "receipt", "number": "CF-2026-000001"}


class Speaker(GenericFakeChatModel):
    """Says each word after a moment, as a model over the network does."""

    seconds: float

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in super()._astream(*args, **kwargs):
            await asyncio.sleep(self.seconds)
            yield chunk


class Given(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    notice: dict[str, Any] | None
    handover: dict[str, Any] | None


class Shown(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    stage: str
    ticket: dict[str, Any] | None


class State(Given, total=False):
    stage: str
    ticket: dict[str, Any] | None
    private: str


def by_need(state: State) -> Literal["speak", "hand_over"]:
    return "hand_over" if state.get("handover") or state["private"] == "person please" else "speak"


def by_ticket(state: State) -> Literal["wait_for_person", "__end__"]:
    return "wait_for_person" if state.get("ticket") else "__end__"


async def listen(state: State) -> dict[str, Any]:
    said = state["messages"][-1].text if state.get("messages") else ""
    write = get_stream_writer()
    write({"type": "status", "text": "Reading your invoices"})
    write({"type": "thought", "text": "nobody should read this"})
    if said.startswith("slowly"):
        await asyncio.sleep(0.8)
    return {"private": said, "stage": "resolve"}


async def speak(state: State) -> dict[str, Any]:
    match state["private"]:
        case "fail":
            raise ValueError("internals: password=hunter2")
        case "no billing":
            raise BillingUnavailable
    told = "A case was decided." if state.get("notice") else f"You said: {state['private']}"
    pause = 0.05 if state["private"].startswith("at length") else 0.0
    model = Speaker(messages=iter([AIMessage(told)]), seconds=pause)
    message = await model.ainvoke(state.get("messages", []))
    extra = {"role": "assistant", "cards": [CARD], "citations": [], "stage": "resolve"}
    reply = AIMessage(message.text, id=message.id, name="assistant", additional_kwargs=extra)
    return {"messages": [reply], "notice": None}


async def hand_over(state: State, runtime: Runtime[Any]) -> dict[str, Any]:
    thread = runtime.execution_info.thread_id if runtime.execution_info else ""
    ticket = await runtime.context.ledger.open_ticket(thread, "asked for a person", {"summary": "Short."})
    position = await runtime.context.ledger.queue_position(ticket.id)
    return {"ticket": {"id": ticket.id, "position": position}, "stage": "human", "handover": None}


async def wait_for_person(state: State) -> dict[str, Any]:
    answer = interrupt({"waiting_for": "person", "packet": "for staff alone"})
    if answer.get("text") in STUMBLES:
        STUMBLES.remove(answer["text"])
        raise ValueError("stumbled")
    match answer["type"]:
        case "customer_message":
            return {"messages": [HumanMessage(answer["text"], id=answer["message_id"])]}
        case "agent_message":
            extra = {"role": "agent", "author": answer["agent"]}
            reply = AIMessage(answer["text"], id=answer["message_id"], name="agent", additional_kwargs=extra)
            return {"messages": [reply]}
        case "notice":
            return {"messages": [AIMessage("A case was decided.", name="assistant")]}
        case _:
            said = f"{answer['agent']} says: {answer['note']}"
            return {"messages": [AIMessage(said, name="assistant")], "ticket": None, "stage": "resolve"}


def compiled(saver: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State, input_schema=Given, output_schema=Shown)
    graph.add_node(listen).add_node(speak).add_node(hand_over).add_node(wait_for_person)
    graph.add_edge(START, "listen").add_conditional_edges("listen", by_need)
    graph.add_edge("speak", END).add_edge("hand_over", "wait_for_person")
    graph.add_conditional_edges("wait_for_person", by_ticket)
    return graph.compile(checkpointer=saver, name="support")
