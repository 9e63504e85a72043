"""Threads: create, find, read, copy, delete."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from typing import Any

from fastapi import APIRouter, Depends, Response

from server.auth import Caller, CurrentCustomer, Principal, customers_only
from server.copying import copy
from server.deleting import delete
from server.present import thread_json
from server.runs.queue import ASSISTANT
from server.runs.transcript import as_told
from server.runs.work import config_of
from server.schemas import NewThread, ThreadCount, ThreadPatch, ThreadSearch
from server.services import Services, ServicesDep
from server.threads import OwnThread, channels_for, clean_metadata, open_thread
from server.view import state_json
from tools.errors import Conflict
from tools.ledger.threads import SortBy
from tools.ledger.types import Thread

Json = dict[str, Any]
SORTED: dict[str, SortBy] = {
    "thread_id": "id",
    "status": "status",
    "created_at": "created",
    "updated_at": "updated",
}
router = APIRouter(prefix="/threads", tags=["threads"])


@router.post("")
async def create_thread(caller: CurrentCustomer, services: ServicesDep, body: NewThread | None = None) -> Json:
    wanted = body or NewThread()
    known = await services.ledger.thread(str(wanted.thread_id)) if wanted.thread_id else None
    if known and known.owner == caller.id and wanted.if_exists == "raise":
        raise Conflict("This thread exists already.")
    return thread_json(await open_thread(services, caller, wanted.thread_id, wanted.metadata))


@router.post("/search")
async def search_threads(
    caller: Caller, services: ServicesDep, response: Response, body: ThreadSearch | None = None
) -> list[Json]:
    """The caller's own threads; for staff, everybody's."""
    wanted = body or ThreadSearch()
    filters = _filters(caller, wanted)
    found = await services.ledger.search_threads(
        **filters,
        sort_by=SORTED[wanted.sort_by],
        ascending=wanted.sort_order == "asc",
        limit=wanted.limit,
        offset=wanted.offset,
    )
    response.headers["X-Pagination-Total"] = str(await services.ledger.count_threads(**filters))
    return [await _with_state(services, caller, thread) for thread in found]


@router.post("/count")
async def count_threads(caller: Caller, services: ServicesDep, body: ThreadCount | None = None) -> int:
    return await services.ledger.count_threads(**_filters(caller, body or ThreadCount()))


@router.get("/{thread_id}")
async def get_thread(thread: OwnThread, caller: Caller, services: ServicesDep) -> Json:
    return await _with_state(services, caller, thread)


@router.patch("/{thread_id}", dependencies=[Depends(customers_only)])
async def patch_thread(thread: OwnThread, body: ThreadPatch, services: ServicesDep) -> Json:
    return thread_json(await services.ledger.set_thread(thread.id, metadata=clean_metadata(body.metadata)))


@router.delete("/{thread_id}", status_code=204, dependencies=[Depends(customers_only)])
async def delete_thread(thread: OwnThread, services: ServicesDep) -> None:
    """With its checkpoints and events. What was done with money stays on record."""
    await delete(services, thread)


@router.post("/{thread_id}/copy", dependencies=[Depends(customers_only)])
async def copy_thread(thread: OwnThread, caller: Caller, services: ServicesDep) -> Json:
    """A new conversation with what was said in this one, as long as nobody has said in it who they are."""
    return thread_json(await copy(services, caller, thread))


@router.get("/{thread_id}/messages")
async def get_messages(thread: OwnThread, services: ServicesDep, after: int = 0) -> list[Json]:
    """The conversation as it was said, from the ledger."""
    return [as_told(message) for message in await services.ledger.messages(thread.id, after=after)]


def _filters(caller: Principal, wanted: ThreadCount) -> Json:
    ids = None if wanted.ids is None else [str(one) for one in wanted.ids]
    owner = None if caller.is_staff else caller.id
    return {"owner": owner, "status": wanted.status, "metadata": wanted.metadata, "ids": ids}


async def _with_state(services: Services, caller: Principal, thread: Thread) -> Json:
    snapshot = await services.plugs.graphs[ASSISTANT].aget_state(config_of(thread.id))
    state = state_json(snapshot, channels_for(services, caller))
    interrupts = {task["id"]: task["interrupts"] for task in state["tasks"] if task["interrupts"]}
    return thread_json(thread, values=state["values"], interrupts=interrupts)
