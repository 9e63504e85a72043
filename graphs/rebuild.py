"""Conversations that a run cannot go on with as they are: lost with Redis, or left by another release."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot

from graphs.upcasts import upcast
from nodes.state import MESSAGES_IN_STATE, STATE_VERSION
from tools.ledger.ledger import Ledger
from tools.ledger.types import Message

Graph = CompiledStateGraph[Any, Any, Any, Any]
Json = dict[str, Any]
AFTER = "reply"
"""The node after which a turn is over; a person who has the thread comes next."""


async def mended(graph: Graph, config: RunnableConfig, found: StateSnapshot, ledger: Ledger, context: Any) -> bool:
    """Whether the conversation was put in order. A run that was cut short begins anew on it, as after a loss.

    - Without a checkpoint, or with one of a newer release, it is put together from the ledger's record of what was
      said. What was asked last is forgotten: a yes to it would be no consent.
    - What an older release left is brought up to this one.
    - Where a person has it, and the node that waited for them is gone, it waits at the one that is there.
    """
    thread = config["configurable"]["thread_id"]
    if AFTER not in graph.nodes:
        return False
    version = found.values.get("version", 1)
    if found.created_at is None or version > STATE_VERSION:
        told = await ledger.messages(thread, last=MESSAGES_IN_STATE)
        if not told and found.created_at is None:
            return False
        state = {"version": STATE_VERSION, "messages": [_message(one) for one in told], "stage": "resolve"}
    elif version < STATE_VERSION:
        state = upcast(found.values)
    elif found.values.get("ticket") and not found.tasks:
        state = {}
    else:
        return False
    await _enter(graph, config, state, ledger, context)
    return True


async def _enter(graph: Graph, config: RunnableConfig, state: Json, ledger: Ledger, context: Any) -> None:
    """After the last turn; with the person who has it, if one has."""
    ticket = await ledger.ticket_of(config["configurable"]["thread_id"])
    state["ticket"] = {"id": ticket.id, "position": await ledger.queue_position(ticket.id)} if ticket else None
    if ticket:
        state["stage"] = "human"
    await graph.aupdate_state(config, state, as_node=AFTER)
    if ticket:
        await graph.ainvoke(None, config, context=context, durability="sync")


def _message(told: Message) -> AnyMessage:
    if told.role == "customer":
        return HumanMessage(told.text, id=told.id)
    extra = {"role": told.role, "author": told.author, **told.extra}
    return AIMessage(told.text, id=told.id, name=told.role, additional_kwargs=extra)
