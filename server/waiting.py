"""What is said to a customer who writes while a person has, or will have, their conversation."""

from collections.abc import AsyncIterator

from server.events import Event
from server.runs.encode import dumps
from tools.ledger.ledger import Ledger
from tools.ledger.types import Ticket


async def unless_silent(chat: AsyncIterator[Event], ledger: Ledger, run: str) -> AsyncIterator[Event]:
    """The events of a chat. If nobody has said anything in it, a status before its end tells who will."""
    answered = False
    async for event in chat:
        answered = answered or event.event == "message"
        if event.event == "end" and not answered and (text := await _meanwhile(ledger, run)):
            # Under no id: who goes on from here has yet to read the end.
            yield Event(id="", run=run, event="status", data=dumps({"text": text}))
        yield event


async def _meanwhile(ledger: Ledger, run_id: str) -> str | None:
    """None when no person is waited for, or the message did not get through."""
    run = await ledger.run(run_id)
    ticket = await ledger.ticket_of(run.thread) if run and run.status == "success" else None
    if ticket is None:
        return None
    if position := await ledger.queue_position(ticket.id):
        return f"You are number {position} in the queue. A colleague will answer here."
    return f"{await _name(ledger, ticket) or 'Your colleague'} has been told."


async def _name(ledger: Ledger, ticket: Ticket) -> str | None:
    """The name under which they spoke here; the ticket has no more than their id."""
    said = [line for line in await ledger.messages(ticket.thread) if line.role == "agent"]
    return next((line.author for line in reversed(said) if line.created >= ticket.created), None)
