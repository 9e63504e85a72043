"""Conversations whose checkpoints are gone: put together again from the ledger's record of what was said."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from nodes.state import MESSAGES_IN_STATE, STATE_VERSION
from tools.ledger.ledger import Ledger
from tools.ledger.types import Message

AFTER = "reply"
"""The node after which a turn is over; a person who has the thread comes next."""


async def rebuild(
    graph: CompiledStateGraph[Any, Any, Any, Any], config: RunnableConfig, ledger: Ledger, context: Any
) -> bool:
    """Whether there was anything to rebuild. What was asked last is forgotten: a yes to it would be no consent."""
    thread = config["configurable"]["thread_id"]
    told = await ledger.messages(thread, last=MESSAGES_IN_STATE)
    if not told or AFTER not in graph.nodes:
        return False
    ticket = await ledger.ticket_of(thread)
    state = {
        "version": STATE_VERSION,
        "messages": [_message(one) for one in told],
        "stage": "human" if ticket else "resolve",
        "ticket": {"id": ticket.id, "position": await ledger.queue_position(ticket.id)} if ticket else None,
    }
    await graph.aupdate_state(config, state, as_node=AFTER)
    if ticket:
        await graph.ainvoke(None, config, context=context, durability="sync")
    return True


def _message(told: Message) -> AnyMessage:
    if told.role == "customer":
        return HumanMessage(told.text, id=told.id)
    extra = {"role": told.role, "author": told.author, **told.extra}
    return AIMessage(told.text, id=told.id, name=told.role, additional_kwargs=extra)
