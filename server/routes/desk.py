"""The agents' desk: tickets to take and answer. Staff only."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from nodes.promising import keep_answers
from server.auth import CurrentAgent, at_the_desk
from server.door import masked
from server.present import action_json, ticket_json
from server.runs.payload import return_to_agent
from server.runs.transcript import as_told
from server.schemas import AgentWords, ReturnNote
from server.services import ServicesDep
from server.threads import answer
from tools.errors import Conflict, NotFound
from tools.ledger.types import Ticket, TicketState

Json = dict[str, Any]
Limit = Annotated[int, Query(ge=1, le=200)]
router = APIRouter(prefix="/desk", tags=["desk"], dependencies=[Depends(at_the_desk)])


async def the_ticket(ticket_id: Annotated[str, Path(max_length=100)], services: ServicesDep) -> Ticket:
    ticket = await services.ledger.ticket(ticket_id)
    if ticket is None:
        raise NotFound("There is no such ticket.")
    return ticket


TheTicket = Annotated[Ticket, Depends(the_ticket)]


@router.get("/tickets")
async def list_tickets(services: ServicesDep, state: TicketState | None = None, limit: Limit = 50) -> list[Json]:
    """Oldest first."""
    return [ticket_json(ticket) for ticket in await services.ledger.tickets(state=state, limit=limit)]


@router.get("/tickets/{ticket_id}")
async def get_ticket(ticket: TheTicket, services: ServicesDep) -> Json:
    """The packet, what was said, and what was done."""
    return {
        **ticket_json(ticket),
        "messages": [as_told(message) for message in await services.ledger.messages(ticket.thread)],
        "actions": [action_json(action) for action in await services.ledger.actions(thread=ticket.thread)],
    }


@router.post("/tickets/{ticket_id}/claim")
async def claim_ticket(ticket: TheTicket, agent: CurrentAgent, services: ServicesDep) -> Json:
    """Whoever claims it has answered the promise that a colleague will."""
    claimed = await services.ledger.claim_ticket(ticket.id, agent.id)
    await keep_answers(ticket.thread, services.ledger)
    return ticket_json(claimed)


@router.post("/tickets/{ticket_id}/messages", status_code=202)
async def answer_ticket(ticket: TheTicket, body: AgentWords, agent: CurrentAgent, services: ServicesDep) -> Json:
    run = await answer(services, ticket, agent, body.text)
    return {"thread_id": run.thread, "run_id": run.id}


@router.post("/tickets/{ticket_id}/return", status_code=202)
async def return_ticket(ticket: TheTicket, body: ReturnNote, agent: CurrentAgent, services: ServicesDep) -> Json:
    """Gives the conversation back to the assistant."""
    note = masked(body.note)
    if ticket.state == "returned":
        raise Conflict("This ticket was returned already.")
    await services.ledger.return_ticket(ticket.id, agent.id, note)
    run = await services.queue.submit(ticket.thread, return_to_agent(note, agent.name))
    return {"thread_id": run.thread, "run_id": run.id}
