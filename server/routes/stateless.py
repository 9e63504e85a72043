"""Runs without a thread: on a conversation of their own, which goes when they are done, unless it is to be kept."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from sse_starlette import EventSourceResponse

from server.auth import CurrentCustomer
from server.door import fitting
from server.following import refuse_inner, run_apart, run_awaited, run_streamed
from server.schemas import StatelessRun
from server.services import ServicesDep
from server.sse import STREAMED, Place
from server.threads import CurrentSender, open_thread, refuse_other_graphs, words_of
from tools.ledger.types import Thread

Json = dict[str, Any]
router = APIRouter(prefix="/runs", tags=["runs"])


async def thread_for_run(body: StatelessRun, caller: CurrentCustomer, services: ServicesDep) -> Thread:
    """Opened once nothing can be said against the body: who is refused leaves nothing behind."""
    refuse_other_graphs(body)
    refuse_inner(caller, body.modes)
    fitting(words_of(body)[0])
    return await open_thread(services, caller, temporary=body.on_completion == "delete")


ThreadForRun = Annotated[Thread, Depends(thread_for_run)]


@router.post("")
async def create_run(
    thread: ThreadForRun, body: StatelessRun, by: CurrentSender, services: ServicesDep, response: Response
) -> Json:
    """What comes of it is told by its `stream` and `join`, for as long as its thread is there."""
    return await run_apart(services, by, thread, body, response)


@router.post("/stream", **STREAMED, dependencies=[Place])
async def stream_run(
    thread: ThreadForRun, body: StatelessRun, by: CurrentSender, services: ServicesDep
) -> EventSourceResponse:
    return await run_streamed(services, by, thread, body)


@router.post("/wait")
async def wait_for_run(
    thread: ThreadForRun, body: StatelessRun, by: CurrentSender, services: ServicesDep, response: Response
) -> Json:
    return await run_awaited(services, by, thread, body, response)
