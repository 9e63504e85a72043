"""Copies a conversation in which nobody has said yet who they are. docs/decisions/0014 says why no other.

What goes along is what was said, and nothing that the server knows: no binding, no case, no ticket, no question whose
answer would count, no checkpoint. The state is put together from the words, as when Redis was lost.
"""

from typing import Any

from graphs.rebuild import mended
from nodes.state import MESSAGES_IN_STATE
from server.auth import Principal
from server.runs.lease import lease
from server.runs.queue import ASSISTANT
from server.runs.work import config_of
from server.services import Services
from server.threads import open_thread
from tools.errors import Conflict, ThreadBusy
from tools.ledger.threads import TEMPORARY
from tools.ledger.types import Message, Thread

Json = dict[str, Any]
KNOWN = (
    "This conversation knows who you are, so it cannot be copied: what was said here is for you alone, "
    "and goes when it is erased. Please start a new one."
)
WITH_A_PERSON = "A colleague is part of this conversation, so it cannot be copied. Please start a new one."
PROPOSAL = "proposal"


async def copy(services: Services, caller: Principal, thread: Thread) -> Thread:
    """Of the same owner. Raises `Conflict` where a copy would take along more than words."""
    if await services.ledger.unfinished_runs(thread.id):
        raise ThreadBusy
    said = await services.ledger.messages(thread.id, last=MESSAGES_IN_STATE)
    await _refuse_unsafe(services, thread, said)
    kept = {key: value for key, value in thread.metadata.items() if key != TEMPORARY}
    made = await open_thread(services, caller, metadata=kept)
    for line in said:
        await services.ledger.record_message(
            made.id, line.id, line.role, line.author, line.text, extra=_without_proposals(line.extra)
        )
    async with lease(services.plugs.redis, made.id) as held:
        if held is not None:
            graph, config = services.plugs.graphs[ASSISTANT], config_of(made.id, fence=held.token)
            nothing = await graph.aget_state(config)
            await mended(graph, config, nothing, services.ledger, services.plugs.context)
    return made


async def _refuse_unsafe(services: Services, thread: Thread, said: list[Message]) -> None:
    ledger = services.ledger
    if await ledger.actions(thread=thread.id, limit=1) or await ledger.was_ever_bound(thread.id):
        raise Conflict(KNOWN)
    if await ledger.ticket_of(thread.id) or any(line.role == "agent" for line in said):
        raise Conflict(WITH_A_PERSON)


def _without_proposals(extra: Json) -> Json:
    cards = [card for card in extra.get("cards", []) if card.get("type") != PROPOSAL]
    return {**extra, "cards": cards} if "cards" in extra else extra
