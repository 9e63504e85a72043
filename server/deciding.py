"""A colleague's decision on an action: who may, what is missing after it, and what to do when it came to nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from redis.exceptions import LockError

from server.auth import Principal
from server.endings import tell_end
from server.services import Services
from tools.errors import BeyondYourLimit, Conflict, IllegalTransition, StaleDecision
from tools.ledger.types import Action, ActionState, Approval

A_DAY = timedelta(hours=24)
"""As policy counts what one person approves."""
SECONDS_HELD = 15
SECONDS_WAITED = 5
WAYS: dict[ActionState, str] = {
    "proposed": "The customer has not agreed to it yet. It can be approved once they have.",
    "confirmed": "It is within what the assistant may do by itself, so it needs no approval.",
    "declined": "The customer declined it, so there is nothing to decide.",
    "void": "It was taken back, or the billing data changed since. If it is still wanted, it has to be asked for anew.",
    "expired": "Its time to be approved is over. If it is still wanted, the customer has to ask for it again.",
}


async def decide(
    services: Services, action: Action, agent: Principal, *, digest: str, approve: bool, reason: str
) -> None:
    """Writes the decision down and lets the case go on. Said again by the same person, it changes nothing."""
    if digest != action.digest:
        raise StaleDecision
    if await _said_it(services, action, agent, approve=approve):
        return
    if approve:
        async with _one_at_a_time(services, agent):
            await _refuse_beyond_limit(services, action, agent)
            await _write_down(services, action, agent, digest=digest, approve=True, reason=reason)
    else:
        await _write_down(services, action, agent, digest=digest, approve=False, reason=reason)
    services.metrics.decisions.labels(agent.role, "approve" if approve else "reject").inc()


async def tell(services: Services, action_id: str) -> None:
    """The customer hears of a decision once it is one: after the last person's word, and once."""
    action = await services.ledger.action(action_id)
    if action and action.state != "awaiting_approval":
        await tell_end(services.queue, action)


def standing(action: Action, approvals: list[Approval]) -> str:
    """Where it stands, in a sentence for whoever has just decided or is about to."""
    said_yes = [one.agent for one in approvals if one.verdict == "approve"]
    missing = approvals_missing(action, approvals)
    if action.state != "awaiting_approval":
        return WAYS.get(action.state) or _decided(action, approvals)
    if not said_yes:
        return f"{_people(missing)} to approve this."
    return f"{' and '.join(said_yes)} said yes. {_people(missing)} to approve this."


def approvals_missing(action: Action, approvals: list[Approval]) -> int:
    """How many more people have to say yes. What waits needs one at least, whatever it was proposed as."""
    if action.state != "awaiting_approval":
        return 0
    return max(1, action.approvals_needed) - sum(one.verdict == "approve" for one in approvals)


def _people(missing: int) -> str:
    return "One more person has" if missing == 1 else f"{missing} more people have"


def _decided(action: Action, approvals: list[Approval]) -> str:
    verdict = "reject" if action.state == "rejected" else "approve"
    who = " and ".join(one.agent for one in approvals if one.verdict == verdict)
    done = "rejected" if verdict == "reject" else "approved"
    return f"It was {done} by {who} and is {action.state} now." if who else f"It is {action.state}."


async def _said_it(services: Services, action: Action, agent: Principal, *, approve: bool) -> bool:
    verdict = "approve" if approve else "reject"
    given = await services.ledger.approvals(action.id)
    return any((one.agent, one.verdict, one.digest) == (agent.id, verdict, action.digest) for one in given)


async def _write_down(
    services: Services, action: Action, agent: Principal, *, digest: str, approve: bool, reason: str
) -> None:
    try:
        await services.plugs.cases.decide(
            action.id, digest=digest, approve=approve, agent=agent.id, role=agent.role, reason=reason
        )
    except IllegalTransition as error:
        now = await services.ledger.action(action.id) or action
        raise IllegalTransition(_way_out(now, await services.ledger.approvals(action.id))) from error


def _way_out(action: Action, approvals: list[Approval]) -> str:
    if action.state == "awaiting_approval":
        return WAYS["expired"]
    return f"{standing(action, approvals)} Read it again before you go on."


async def _refuse_beyond_limit(services: Services, action: Action, agent: Principal) -> None:
    already = await services.ledger.approved_by(agent.id, since=datetime.now(UTC) - A_DAY)
    refusal = services.policy.may_approve(action.amount, role=agent.role, approved_today=already, kind=action.kind)
    if refusal is not None:
        raise BeyondYourLimit(refusal)


@asynccontextmanager
async def _one_at_a_time(services: Services, agent: Principal) -> AsyncIterator[None]:
    """Two approvals of one person at once would each find the day's limit unused."""
    lock = services.plugs.redis.lock(
        f"approving:{agent.id}", timeout=SECONDS_HELD, blocking_timeout=SECONDS_WAITED, thread_local=False
    )
    try:
        async with lock:
            yield
    except LockError as error:
        raise Conflict("Another approval of yours is still under way. Wait a moment, then look again.") from error
