"""How an action ended is told under one run, whose id says so: whoever tells it, and however often, it is said once."""

from server.runs.payload import notice
from server.runs.queue import RunQueue, named_run
from tools.ledger.types import Action, Run


async def tell_end(queue: RunQueue, action: Action) -> Run | None:
    """Of the state that it is in now. None when the conversation was deleted: nobody is left to tell."""
    if await queue.ledger.thread(action.thread) is None:
        return None
    return await queue.submit(action.thread, notice(action.id), run_id=named_run(action.state, action.id))
