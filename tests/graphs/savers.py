"""What the saver's tests share."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

Graph = CompiledStateGraph[Any, Any, Any, Any]


def on(thread: str, **configurable: Any) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, **configurable}}


def extend(state: list[Any], writes: list[list[Any]]) -> list[Any]:
    """Reducer of a `DeltaChannel`."""
    return [*state, *(one for write in writes for one in write)]
