"""Which conversation a node runs in."""

import uuid
from typing import Any

from langgraph.runtime import Runtime

CASES = uuid.UUID("5b1d3c56-0f3e-4b53-9a3e-6f1c7d1f2a10")


def thread_of(runtime: Runtime[Any]) -> str:
    """The thread's id. Raises `RuntimeError` outside of a run with a checkpointer."""
    info = runtime.execution_info
    if info is None or info.thread_id is None:
        raise RuntimeError("this graph needs a thread: run it with a checkpointer and a thread_id")
    return info.thread_id


def case_id(thread: str, kind: str, target: str, message: str) -> str:
    """The same wish in the same message is the same case, however often the node runs."""
    return str(uuid.uuid5(CASES, f"{thread}:{kind}:{target}:{message}"))
