"""The state of a thread, now and at every step before. It is read here, and written by runs alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from langgraph.constants import START

from server.auth import Caller, Principal
from server.checkpoints import Named, before_of, point_of
from server.problems import DOCUMENTED, MEDIA_TYPE
from server.runs.queue import ASSISTANT
from server.schemas import HistoryQuery, StateQuery
from server.services import Services, ServicesDep
from server.threads import OwnThread, channels_for
from server.view import state_json
from tools.errors import NotFound, StateIsOurs
from tools.ledger.types import Thread

Json = dict[str, Any]
router = APIRouter(prefix="/threads/{thread_id}", tags=["threads"])


class ProblemResponse(JSONResponse):
    """For the documentation: what a route answers with that does nothing but refuse."""

    media_type = MEDIA_TYPE


@router.get("/state")
async def get_state(thread: OwnThread, caller: Caller, services: ServicesDep) -> Json:
    return await _state(services, caller, thread, None)


@router.post(
    "/state", status_code=403, response_model=None, response_class=ProblemResponse, responses={403: DOCUMENTED[403]}
)
async def refuse_state(thread: OwnThread) -> None:  # noqa: ARG001 - whose thread it is, is told to nobody else
    """Refused to everybody, staff too, whatever the body says: what the state holds decides over money."""
    raise StateIsOurs


@router.get("/state/{checkpoint_id}")
async def get_past_state(
    thread: OwnThread, checkpoint_id: Annotated[str, Path(max_length=100)], caller: Caller, services: ServicesDep
) -> Json:
    return await _state(services, caller, thread, checkpoint_id)


@router.post("/state/checkpoint")
async def find_past_state(thread: OwnThread, caller: Caller, services: ServicesDep, body: StateQuery) -> Json:
    """As the one above, for a checkpoint in the form of the SDKs. Without an id: the state now."""
    return await _state(services, caller, thread, body.checkpoint)


@router.post("/history")
async def search_history(
    thread: OwnThread, caller: Caller, services: ServicesDep, body: HistoryQuery | None = None
) -> list[Json]:
    """Newest first: those `before` a checkpoint, whose metadata says what is asked for."""
    wanted = body or HistoryQuery()
    return await _history(services, caller, thread, wanted, wanted.before)


@router.get("/history")
async def get_history(
    thread: OwnThread,
    caller: Caller,
    services: ServicesDep,
    limit: int = 10,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> list[Json]:
    return await _history(services, caller, thread, HistoryQuery(limit=min(max(limit, 1), 100)), before)


async def _state(services: Services, caller: Principal, thread: Thread, named: Named) -> Json:
    point = point_of(thread, named)
    snapshot = await services.plugs.graphs[ASSISTANT].aget_state(point)
    if snapshot.created_at is None and "checkpoint_id" in point["configurable"]:
        raise NotFound("There is no such checkpoint.")
    state = state_json(snapshot, channels_for(services, caller))
    is_now = "checkpoint_id" not in point["configurable"]
    if is_now and not state["next"] and await services.ledger.unfinished_runs(thread.id):
        # By this alone clients know that something is under way, and follow it.
        return {**state, "next": [START]}
    return state


async def _history(
    services: Services, caller: Principal, thread: Thread, wanted: HistoryQuery, before: Named
) -> list[Json]:
    found = services.plugs.graphs[ASSISTANT].aget_state_history(
        point_of(thread, wanted.checkpoint),
        filter=wanted.metadata,
        before=before_of(thread, before),
        limit=wanted.limit,
    )
    channels = channels_for(services, caller)
    return [state_json(snapshot, channels) async for snapshot in found]
