"""Whose thread it is, and how a caller's words become a run on it."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from fastapi import Depends, Path

from graphs.plugs import Plugs
from server.auth import Caller, Principal, Rule, guards
from server.door import admit, fitting, masked
from server.network import Network
from server.runs.encode import jsonable, with_interrupts
from server.runs.payload import agent_message, customer_message
from server.runs.queue import ASSISTANT, Strategy, named_run
from server.runs.transcript import text_of
from server.runs.work import config_of
from server.schemas import NewRun
from server.services import Services, ServicesDep
from server.view import public_channels, shown_values
from tools.errors import Conflict, NotFound, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.threads import TEMPORARY
from tools.ledger.types import Action, Run, Thread, Ticket

Json = dict[str, Any]
_GRAPH_NAMESPACE = UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")


def assistant_id(graph_id: str) -> str:
    """The id that an Agent Server gives the assistant of a graph."""
    return str(uuid5(_GRAPH_NAMESPACE, graph_id))


@guards(Rule.OWNER)
async def own_thread(thread_id: Annotated[str, Path()], caller: Caller, services: ServicesDep) -> Thread:
    return await find_thread(services.ledger, caller, thread_id)


OwnThread = Annotated[Thread, Depends(own_thread)]


async def find_thread(ledger: Ledger, caller: Principal, thread_id: str) -> Thread:
    """Staff may see every thread. One that is not there and one that is another's look alike."""
    thread = await ledger.thread(uuid_of(thread_id))
    if thread is None or (not caller.is_staff and thread.owner != caller.id):
        raise NotFound("There is no such thread.")
    return thread


async def is_own(ledger: Ledger, caller: Principal, action: Action) -> bool:
    """Of a conversation of the caller, and of the customer who is bound to it, if anybody is by now."""
    thread = await ledger.thread(action.thread)
    if thread is None or thread.owner != caller.id:
        return False
    return (await ledger.identity(thread.id)).customer in {None, action.customer}


@guards(Rule.OWNER)
async def own_run(thread: OwnThread, run_id: Annotated[str, Path()], services: ServicesDep) -> Run:
    run = await services.ledger.run(uuid_of(run_id))
    if run is None or run.thread != thread.id:
        raise NotFound("There is no such run.")
    return run


OwnRun = Annotated[Run, Depends(own_run)]


def uuid_of(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound from None


async def open_thread(
    services: Services,
    caller: Principal,
    thread_id: UUID | None = None,
    metadata: Json | None = None,
    *,
    temporary: bool = False,
) -> Thread:
    """A new thread of the caller, or the one that they have by this id already. Raises `RateLimited`."""
    kept = clean_metadata(metadata or {}) | ({TEMPORARY: True} if temporary else {})
    await services.limits.count("threads", caller.id)
    thread = await services.ledger.create_thread(str(thread_id or uuid4()), caller.id, kept)
    if caller.email:
        await services.plugs.verifier.sign_in(thread.id, caller.email)
    return thread


def clean_metadata(metadata: Json) -> Json:
    """Without secrets, with the marks by which Agent Server clients find their threads, and without our own."""
    clean = {masked(key): masked(value) if isinstance(value, str) else value for key, value in metadata.items()}
    clean.pop(TEMPORARY, None)
    return {**clean, "graph_id": ASSISTANT, "assistant_id": assistant_id(ASSISTANT)}


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who a request comes from, and from where: codes that it leads to count for its network."""

    caller: Principal
    network: str

    async def note(self, plugs: Plugs, thread_id: str) -> None:
        await plugs.verifier.note_caller(thread_id, network=self.network, signed_in_as=self.caller.email)


async def sender(caller: Caller, network: Network) -> Sender:
    return Sender(caller=caller, network=network)


CurrentSender = Annotated[Sender, Depends(sender)]


async def say(
    services: Services,
    thread: Thread,
    text: str,
    message_id: str | None = None,
    *,
    by: Sender,
    strategy: Strategy = "enqueue",
) -> Run:
    """A customer's words, through the door and into the queue."""
    await services.queue.make_room(thread.id, strategy=strategy)
    await by.note(services.plugs, thread.id)
    message_id = await _free_id(services.ledger, thread.id, message_id)
    said = await admit(services.plugs, thread.id, text, message_id=message_id)
    # By the message's name, so that who says it again before anybody has an answer starts no second run.
    run_id = named_run("said", thread.id, message_id)
    return await services.queue.submit(thread.id, customer_message(message_id, said), run_id=run_id)


async def answer(services: Services, ticket: Ticket, agent: Principal, text: str) -> Run:
    """An agent's words, from the one who has the ticket."""
    if ticket.claimed_by != agent.id or ticket.state != "claimed":
        raise Conflict("Claim this ticket first: only who has it can answer.")
    said = masked(fitting(text))
    run = await services.queue.submit(ticket.thread, agent_message(str(uuid4()), said, agent.name))
    await services.ledger.audit("ticket.answered", ticket=ticket.id, thread=ticket.thread, agent=agent.id, run=run.id)
    return run


async def ask(services: Services, thread: Thread, by: Sender, body: NewRun) -> Run:
    """The run that a body of the Agent Server protocol asks for."""
    refuse_other_graphs(body)
    text, message_id = words_of(body)
    if not by.caller.is_staff:
        return await say(services, thread, text, message_id, by=by, strategy=body.multitask_strategy)
    ticket = await services.ledger.ticket_of(thread.id)
    if ticket is None:
        raise Conflict("Nobody has asked for a person on this thread.")
    return await answer(services, ticket, by.caller, text)


def refuse_other_graphs(body: NewRun) -> None:
    if body.assistant_id not in {ASSISTANT, assistant_id(ASSISTANT)}:
        raise Unprocessable(f"assistant_id: runs are started on {ASSISTANT!r}.")


def words_of(body: NewRun) -> tuple[str, str | None]:
    """The last thing that a person says in the body, and the id that the client gave it."""
    if body.command is not None:
        resume = body.command.resume
        return (resume if isinstance(resume, str) else _text(resume)), None
    if body.input is None:
        raise Unprocessable("input: a run needs a message.")
    messages = body.input.messages
    for message in reversed(messages if isinstance(messages, list) else [messages]):
        if isinstance(message, str):
            return message, None
        whole = _of_pair(message) if isinstance(message, list) else message
        if whole.get("type", whole.get("role", "user")) in {"human", "user"}:
            return _text(whole), whole.get("id")
    raise Unprocessable("input.messages: there is no message of a person in it.")


def _of_pair(pair: list[str]) -> Json:
    """LangChain's short form of a message: `["user", "hi"]`."""
    if len(pair) != 2:
        raise Unprocessable("input.messages: a message in short is its role and its words.")
    return {"role": pair[0], "content": pair[1]}


def _text(message: Json) -> str:
    try:
        return text_of({"content": message.get("content", message.get("text"))})
    except (AttributeError, TypeError):
        raise Unprocessable("input.messages: the content of a message is text.") from None


async def final_values(services: Services, thread_id: str, caller: Principal) -> Json:
    """The thread's values as this caller may see them, with a mark for what it waits for."""
    snapshot = await services.plugs.graphs[ASSISTANT].aget_state(config_of(thread_id))
    values = jsonable(with_interrupts(snapshot.values, snapshot.interrupts))
    return shown_values(values, channels_for(services, caller))


def channels_for(services: Services, caller: Principal) -> frozenset[str] | None:
    """None for staff: all."""
    return None if caller.is_staff else public_channels(services.plugs.graphs[ASSISTANT])


async def _free_id(ledger: Ledger, thread_id: str, wanted: Any) -> str:
    """A client may name its message, to say it once; it cannot take the name of another one."""
    if wanted is None:
        return str(uuid4())
    try:
        message_id = str(UUID(wanted))
    except (ValueError, AttributeError, TypeError):
        raise Unprocessable("input.messages: the id of a message is a UUID.") from None
    if await ledger.run(named_run("said", thread_id, message_id)) or await ledger.recorded(thread_id, [message_id]):
        raise Conflict("This message was received already.")
    return message_id
