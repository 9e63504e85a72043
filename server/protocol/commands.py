"""What a client asks of a thread. The answer is an envelope, also when it is no.

What a command says may be refused: then the envelope has the sentence, which the SDKs put into the error that they
raise. They raise on an HTTP status, too, but without its body. So a status stays for what is not of the command: who
asks (401, 403, 404), how often (429), a body of another shape (413, 422), and what does not answer (503).
"""

from typing import Any

import structlog

from server.protocol.bodies import AgentGetTree, Answer, Command, InputRespond, RunStart
from server.protocol.places import LAST, number
from server.protocol.translation import PHASES
from server.runs.queue import ASSISTANT
from server.runs.work import config_of
from server.services import Services
from server.threads import Sender, ask
from tools.errors import Conflict, InvalidRequest, TooLarge, Unprocessable
from tools.ledger.types import Thread
from tools.safety.mask import mask

log = structlog.get_logger()

Json = dict[str, Any]
UNKNOWN = "There is no such command here. There are run.start, input.respond and agent.getTree."


class Refused(Exception):
    """With a code of the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


async def carry_out(services: Services, by: Sender, thread: Thread, command: Command) -> Json:
    # The number before the run: whoever reads on from there misses none of its events.
    applied = number(await services.events.tail(thread.id), LAST)
    try:
        result = await _result(services, by, thread, command)
    except Refused as refusal:
        return _no(command, refusal.code, refusal.message)
    except (InvalidRequest, Conflict, TooLarge) as error:
        log.info("command.refused", code=error.code, exc_info=error.__cause__)
        return _no(command, "invalid_argument", error.message)
    return {"type": "success", "id": command.id, "result": result, "meta": {"applied_through_seq": applied}}


async def _result(services: Services, by: Sender, thread: Thread, command: Command) -> Json:
    match command:
        case RunStart(params=params):
            _refuse_elsewhere(thread, params.thread_id)
            run = await ask(services, thread, by, params.as_run)
            return {"run_id": run.id}
        case InputRespond(params=params):
            _refuse_elsewhere(thread, params.thread_id)
            answer = await _awaited(services, thread, params.answers)
            run = await ask(services, thread, by, answer.as_run(ASSISTANT))
            return {"run_id": run.id}
        case AgentGetTree(params=params):
            return {"tree": await _tree(services, thread, str(params.run_id) if params.run_id else None)}
        case _:
            raise Refused("unknown_command", UNKNOWN)


def _refuse_elsewhere(thread: Thread, named: str | None) -> None:
    if named not in {None, thread.id}:
        raise Unprocessable("config.configurable.thread_id: this is another thread than the path names.")


async def _awaited(services: Services, thread: Thread, answers: list[Answer]) -> Answer:
    """The one that the thread waits for: it waits for one person at a time."""
    snapshot = await services.plugs.graphs[ASSISTANT].aget_state(config_of(thread.id))
    pending = {interrupt.id for interrupt in snapshot.interrupts}
    if any(answer.namespace or answer.interrupt_id not in pending for answer in answers):
        raise Refused("no_such_interrupt", "The thread does not wait for this answer, or no longer does.")
    if len(answers) > 1:
        raise Refused("not_supported", "The thread waits for one answer at a time.")
    return answers[0]


async def _tree(services: Services, thread: Thread, run_id: str | None) -> Json:
    """One node: cases are threads of their own, and nothing in the conversation is a graph within it."""
    newest = await services.ledger.runs(thread.id, limit=1)
    run = await services.ledger.run(run_id) if run_id else next(iter(newest), None)
    if run is None or run.thread != thread.id:
        raise Refused("no_such_run", "There is no such run on this thread.")
    waits = run.id == newest[0].id and thread.status == "interrupted"
    status = "interrupted" if waits else PHASES.get(run.status, "running")
    return {"namespace": [], "status": status, "graph_name": run.assistant}


def _no(command: Command, code: str, message: str) -> Json:
    return {"type": "error", "id": command.id, "error": code, "message": mask(message).text}
