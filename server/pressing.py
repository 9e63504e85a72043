"""What a customer does with the card of an action: agree or decline, take back, open the link."""

from datetime import UTC, datetime
from itertools import count

from nodes.levels import level_for
from nodes.withdraw_request import WHY
from nodes.wording.account import LINK_LIFE
from server.endings import tell_end
from server.runs.payload import Answer, customer_decision
from server.runs.queue import named_run
from server.services import Services
from tools.billing.powers import PortalLink
from tools.errors import BillingUnavailable, Conflict, IllegalTransition, NotFound, ProofNeeded
from tools.ledger.types import Action, ActionState, Run

TOO_LATE: dict[ActionState, str] = {
    "executing": "This is being carried out right now, so it cannot be taken back. You are told how it ends.",
    "unknown": "This was sent already and its outcome is being checked. You are told how it ends.",
    "succeeded": "This was carried out already. Write to us if it should be undone.",
}
OVER = "This has ended already, so there is nothing to take back."


async def press(services: Services, action: Action, *, digest: str, confirm: bool) -> Run:
    """One run for this answer to this digest, however often it is pressed.

    One that ended and left the proposal open (a proof of identity was asked for, it failed) may be followed by another.
    """
    await services.queue.make_room(action.thread)
    run = await _pressed(services, action, digest, "yes" if confirm else "no", attempt=0)
    for attempt in count(1):
        if not run.is_over or not await _is_open(services, action.id):
            break
        run = await _pressed(services, action, digest, "yes" if confirm else "no", attempt=attempt)
    return run


async def _pressed(services: Services, action: Action, digest: str, answer: Answer, *, attempt: int) -> Run:
    run_id = named_run("button", action.id, digest, answer, str(attempt))
    if await services.ledger.run(run_id) is None:
        services.metrics.decisions.labels("customer", "confirm" if answer == "yes" else "decline").inc()
    said = customer_decision(named_run("pressed", run_id), action.id, digest, answer, action.kind)
    return await services.queue.submit(action.thread, said, run_id=run_id)


async def _is_open(services: Services, action_id: str) -> bool:
    action = await services.ledger.action(action_id)
    return action is not None and action.state == "proposed"


async def take_back(services: Services, action: Action, *, digest: str) -> None:
    """Ends it before anything was done, and says so on the thread. Again, it is taken back already."""
    try:
        case = await services.plugs.cases.withdraw(action.id, digest=digest, why=WHY)
    except IllegalTransition as error:
        if await _was_taken_back(services, action.id):
            return
        now = await services.ledger.action(action.id) or action
        raise IllegalTransition(TOO_LATE.get(now.state, OVER)) from error
    services.metrics.decisions.labels("customer", "withdraw").inc()
    await tell_end(services.queue, case.action or action)


async def _was_taken_back(services: Services, action_id: str) -> bool:
    events = await services.ledger.action_events(action_id)
    return bool(events) and (events[-1].state, events[-1].actor) == ("void", "customer")


async def make_link(services: Services, action: Action, *, return_url: str) -> PortalLink:
    """Stripe's page for a new card: made when it is asked for, given out once, kept nowhere."""
    session = await services.plugs.verifier.session(action.thread)
    if session.level < level_for(action.kind) or session.customer is None:
        raise ProofNeeded
    if session.customer != action.customer or action.kind != "payment_method_link":
        raise NotFound("There is no such link.")
    if action.state != "succeeded" or datetime.now(UTC) - action.updated > LINK_LIFE:
        raise Conflict("This link can no longer be opened. Ask the assistant for a new one.")
    return await _once(services, action, return_url)


async def _once(services: Services, action: Action, return_url: str) -> PortalLink:
    mark = f"link:{action.id}"
    if not await services.plugs.redis.set(mark, "1", nx=True, ex=LINK_LIFE):
        raise Conflict("This link was opened already. Ask the assistant for a new one.")
    try:
        async with services.ledger.recording(thread=action.thread, action=action.id):
            link = await services.plugs.cases.context.mover.portal_link(
                customer=action.customer,
                flow="payment_method_update",
                return_url=return_url,
                idempotency_key=f"counterfoil:link:{action.id}",
            )
    except BillingUnavailable:
        await services.plugs.redis.delete(mark)
        raise
    await services.ledger.audit("action.link_given", action=action.id, thread=action.thread, customer=action.customer)
    return link
