"""A point in a thread's past, as a client names it."""

from typing import Any

from langchain_core.runnables import RunnableConfig

from server.runs.work import config_of
from server.threads import uuid_of
from tools.errors import NotFound, Unprocessable
from tools.ledger.types import Thread

Json = dict[str, Any]
Named = str | Json | None


def point_of(thread: Thread, named: Named) -> RunnableConfig:
    """Where to read: the checkpoint that is named, or the newest. Another thread's is one that is not there."""
    given = _inner(named)
    if given.get("thread_id") not in {None, thread.id} or given.get("checkpoint_ns") not in {None, ""}:
        raise NotFound("There is no such checkpoint.")
    if given.get("checkpoint_id") is None:
        return config_of(thread.id)
    config = config_of(thread.id)
    return {**config, "configurable": {**config["configurable"], "checkpoint_id": _id_of(given)}}


def before_of(thread: Thread, named: Named) -> RunnableConfig | None:
    if named is None:
        return None
    point = point_of(thread, named)
    if "checkpoint_id" not in point["configurable"]:
        raise Unprocessable("before: name a checkpoint_id.")
    return point


def _inner(named: Named) -> Json:
    """SDKs send an id, a checkpoint, or a configuration around one."""
    given: Any = {"checkpoint_id": named} if isinstance(named, str) else named or {}
    inner = given.get("configurable") or given
    if not isinstance(inner, dict) or not all(
        isinstance(inner.get(key), str | None) for key in ("thread_id", "checkpoint_ns", "checkpoint_id")
    ):
        raise Unprocessable("A checkpoint is named by thread_id, checkpoint_ns and checkpoint_id, each a text.")
    return inner


def _id_of(given: Json) -> str:
    try:
        return uuid_of(given["checkpoint_id"])
    except NotFound:
        raise NotFound("There is no such checkpoint.") from None
