"""Takes a conversation away, unless something that was agreed to in it has yet to be told there."""

from server.runs.queue import ASSISTANT
from server.services import Common
from tools.errors import Conflict, ThreadBusy
from tools.ledger.ledger import Ledger
from tools.ledger.types import ActionState, Thread

UNDER_WAY: tuple[ActionState, ...] = ("confirmed", "awaiting_approval", "approved", "executing", "unknown")


async def delete(common: Common, thread: Thread) -> None:
    """With its checkpoints and events. Raises `Conflict` or `ThreadBusy`."""
    if await common.ledger.unfinished_runs(thread.id):
        raise ThreadBusy
    if await is_under_way(common.ledger, thread.id):
        raise Conflict(
            "Something you agreed to is still under way here, and its outcome is told in this conversation. "
            "Please delete it afterwards."
        )
    saver = common.plugs.graphs[ASSISTANT].checkpointer
    if not isinstance(saver, bool) and saver is not None:
        await saver.adelete_thread(thread.id)
    await common.events.delete(thread.id)
    await common.ledger.delete_thread(thread.id)


async def is_under_way(ledger: Ledger, thread: str) -> bool:
    found = [await ledger.actions(thread=thread, state=state, limit=1) for state in UNDER_WAY]
    return any(found)
