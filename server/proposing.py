"""A colleague's proposal, from the body of a request to the card on the customer's thread."""

from datetime import UTC, datetime

from nodes.proposing import Wanted, proposal_of
from nodes.resolving.matter import Matter
from nodes.thread import case_id
from server.auth import Principal
from server.door import masked
from server.runs.payload import notice
from server.runs.queue import named_run
from server.schemas import Proposing
from server.services import Services
from tools.errors import AlreadyUnderWay, Conflict, PolicyDenies
from tools.ledger.transitions import ENDED, LIVE
from tools.ledger.types import Action, Thread

STRANGER = (
    "The customer has not proved on this thread who they are. Ask them for their e-mail address and the code first."
)


async def propose(services: Services, thread: Thread, agent: Principal, body: Proposing) -> Action:
    """For the customer whom the server has bound to the thread: nobody names one. Raises `Conflict` and its kinds."""
    customer = (await services.plugs.verifier.session(thread.id)).customer
    if customer is None:
        raise Conflict(STRANGER)
    actions = await services.ledger.actions(customer=customer, limit=200)
    async with services.ledger.recording(thread=thread.id, agent=agent.id):
        matter = await _matter(services, customer, actions, body.kind)
    proposal = proposal_of(_wanted(body), matter)
    same = [one for one in actions if (one.kind, one.target) == (body.kind, body.target)]
    if any(one.state in LIVE for one in same):
        raise AlreadyUnderWay
    case = await services.plugs.cases.open(
        _case_id(thread, agent, body, same),
        thread=thread.id,
        request=proposal.request,
        details=proposal.details,
        proposer=agent.id,
    )
    if case.action is None:
        raise PolicyDenies(f"Policy does not allow this: {case.verdict.because}" if case.verdict else None)
    await _put(services, case.action, agent, masked(body.reason))
    return case.action


async def _matter(services: Services, customer: str, actions: list[Action], goal: str) -> Matter:
    picture = await services.plugs.billing.picture(customer)
    return Matter(goal=goal, picture=picture, details={}, passages=(), actions=tuple(actions), now=datetime.now(UTC))


def _wanted(body: Proposing) -> Wanted:
    return Wanted(
        kind=body.kind,
        target=body.target,
        ground=body.ground,
        amount=body.amount,
        new_due=body.new_due,
        memo=masked(body.memo),
    )


def _case_id(thread: Thread, agent: Principal, body: Proposing, same: list[Action]) -> str:
    """Sent twice it is one proposal; proposed again after the last one came to its end, it is another."""
    ended = sum(one.state in ENDED for one in same)
    terms = f"{agent.id}:{body.amount}:{body.ground}:{body.new_due}:{body.memo}:{ended}"
    return case_id(thread.id, body.kind, body.target, terms)


async def _put(services: Services, action: Action, agent: Principal, reason: str) -> None:
    """Once, however often it is sent: the run's id is made from the case."""
    run_id = named_run("proposed", action.id)
    if await services.ledger.run(run_id) is None:
        await services.ledger.explain_action(action.id, actor=agent.id, reason=reason)
        services.metrics.decisions.labels(agent.role, "propose").inc()
    await services.queue.submit(action.thread, notice(action.id), run_id=run_id)
