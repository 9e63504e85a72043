"""Threads: create, find, read, delete. Their state is read here and written by runs alone."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from typing import Any

from fastapi import APIRouter, Depends
from langchain_core.runnables import RunnableConfig

from server.auth import Caller, CurrentCustomer, Principal, customers_only
from server.present import thread_json
from server.runs.executor import config_of
from server.runs.queue import ASSISTANT
from server.runs.transcript import as_told
from server.schemas import HistoryQuery, NewThread, ThreadPatch, ThreadSearch
from server.services import Services, ServicesDep
from server.threads import OwnThread, channels_for, clean_metadata, open_thread, uuid_of
from server.view import state_json
from tools.errors import Conflict, ThreadBusy, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import ActionState, Thread

Json = dict[str, Any]
UNDER_WAY: tuple[ActionState, ...] = ("confirmed", "awaiting_approval", "approved", "executing", "unknown")
router = APIRouter(prefix="/threads", tags=["threads"])


@router.post("")
async def create_thread(caller: CurrentCustomer, services: ServicesDep, body: NewThread | None = None) -> Json:
    wanted = body or NewThread()
    known = await services.ledger.thread(str(wanted.thread_id)) if wanted.thread_id else None
    if known and known.owner == caller.id and wanted.if_exists == "raise":
        raise Conflict("This thread exists already.")
    return thread_json(await open_thread(services, caller, wanted.thread_id, wanted.metadata))


@router.post("/search")
async def search_threads(caller: Caller, services: ServicesDep, body: ThreadSearch | None = None) -> list[Json]:
    """The caller's own threads; for staff, everybody's."""
    wanted = body or ThreadSearch()
    found = await services.ledger.search_threads(
        owner=None if caller.is_staff else caller.id,
        status=wanted.status,
        metadata=wanted.metadata,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return [await _with_state(services, caller, thread) for thread in found]


@router.get("/{thread_id}")
async def get_thread(thread: OwnThread, caller: Caller, services: ServicesDep) -> Json:
    return await _with_state(services, caller, thread)


@router.patch("/{thread_id}", dependencies=[Depends(customers_only)])
async def patch_thread(thread: OwnThread, body: ThreadPatch, services: ServicesDep) -> Json:
    return thread_json(await services.ledger.set_thread(thread.id, metadata=clean_metadata(body.metadata)))


@router.delete("/{thread_id}", status_code=204, dependencies=[Depends(customers_only)])
async def delete_thread(thread: OwnThread, services: ServicesDep) -> None:
    """With its checkpoints and events. What was done with money stays on record."""
    if await services.queue.executor.unfinished(thread.id):
        raise ThreadBusy
    if await _is_under_way(services.ledger, thread):
        raise Conflict(
            "Something you agreed to is still under way here, and its outcome is told in this conversation. "
            "Please delete it afterwards."
        )
    saver = services.plugs.graphs[ASSISTANT].checkpointer
    if not isinstance(saver, bool) and saver is not None:
        await saver.adelete_thread(thread.id)
    await services.events.delete(thread.id)
    await services.ledger.delete_thread(thread.id)


@router.get("/{thread_id}/state")
async def get_state(thread: OwnThread, caller: Caller, services: ServicesDep) -> Json:
    snapshot = await services.plugs.graphs[ASSISTANT].aget_state(config_of(thread.id))
    return state_json(snapshot, channels_for(services, caller))


@router.post("/{thread_id}/history")
async def search_history(
    thread: OwnThread, caller: Caller, services: ServicesDep, body: HistoryQuery | None = None
) -> list[Json]:
    wanted = body or HistoryQuery()
    return await _history(services, caller, thread, limit=wanted.limit, before=wanted.before)


@router.get("/{thread_id}/history")
async def get_history(
    thread: OwnThread, caller: Caller, services: ServicesDep, limit: int = 10, before: str | None = None
) -> list[Json]:
    return await _history(services, caller, thread, limit=min(max(limit, 1), 100), before=before)


@router.get("/{thread_id}/messages")
async def get_messages(thread: OwnThread, services: ServicesDep, after: int = 0) -> list[Json]:
    """The conversation as it was said, from the ledger."""
    return [as_told(message) for message in await services.ledger.messages(thread.id, after=after)]


async def _is_under_way(ledger: Ledger, thread: Thread) -> bool:
    found = [await ledger.actions(thread=thread.id, state=state, limit=1) for state in UNDER_WAY]
    return any(found)


async def _with_state(services: Services, caller: Principal, thread: Thread) -> Json:
    snapshot = await services.plugs.graphs[ASSISTANT].aget_state(config_of(thread.id))
    state = state_json(snapshot, channels_for(services, caller))
    interrupts = {task["id"]: task["interrupts"] for task in state["tasks"] if task["interrupts"]}
    return thread_json(thread, values=state["values"], interrupts=interrupts)


async def _history(
    services: Services, caller: Principal, thread: Thread, *, limit: int, before: str | Json | None
) -> list[Json]:
    graph = services.plugs.graphs[ASSISTANT]
    found = graph.aget_state_history(config_of(thread.id), before=_before(thread, before), limit=limit)
    channels = channels_for(services, caller)
    return [state_json(snapshot, channels) async for snapshot in found]


def _before(thread: Thread, before: str | Json | None) -> RunnableConfig | None:
    if before is None:
        return None
    given: Json = before if isinstance(before, dict) else {"checkpoint_id": before}
    inner: Any = given.get("configurable") or given
    checkpoint = inner.get("checkpoint_id") if isinstance(inner, dict) else None
    if not isinstance(checkpoint, str):
        raise Unprocessable("before: name a checkpoint_id.")
    return {"configurable": {"thread_id": thread.id, "checkpoint_id": uuid_of(checkpoint)}}
