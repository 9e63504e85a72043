"""The agents' desk: actions to look into, to decide, and to propose. Staff only."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from server.auth import CurrentAgent, at_the_desk
from server.deciding import approvals_missing, decide, standing, tell
from server.door import masked
from server.present import (
    action_json,
    approval_json,
    assessment_json,
    effect_json,
    event_json,
    passage_json,
    promise_json,
    receipt_json,
)
from server.proposing import propose
from server.routes.desk import Limit
from server.schemas import Decision, Proposing
from server.services import Services, ServicesDep
from server.threads import OwnThread
from tools.errors import KnowledgeUnavailable, NotFound
from tools.ledger.types import Action, ActionState, Assessment

Json = dict[str, Any]
Overdue = Annotated[bool, Query(description="Only what should have been decided or should have happened by now.")]
router = APIRouter(prefix="/desk", tags=["desk"], dependencies=[Depends(at_the_desk)])


async def the_action(action_id: Annotated[str, Path(max_length=100)], services: ServicesDep) -> Action:
    action = await services.ledger.action(action_id)
    if action is None:
        raise NotFound("There is no such action.")
    return action


TheAction = Annotated[Action, Depends(the_action)]


@router.get("/actions")
async def list_actions(
    services: ServicesDep, state: ActionState | None = None, limit: Limit = 50, overdue: Overdue = False
) -> list[Json]:
    """Newest first; what is overdue, longest overdue first."""
    if overdue:
        found = [one for one in await _overdue(services) if state in {None, one.state}][:limit]
    else:
        found = await services.ledger.actions(state=state, limit=limit)
    return [action_json(action) for action in found]


@router.get("/actions/{action_id}")
async def get_action(action: TheAction, services: ServicesDep) -> Json:
    """Everything that a decision needs: how it came about, by which rule, on what evidence, and who said what."""
    return await _whole(services, action)


@router.post("/actions/{action_id}/decision")
async def decide_action(action: TheAction, body: Decision, agent: CurrentAgent, services: ServicesDep) -> Json:
    """Approves or rejects exactly what the digest names; the customer is told on their thread.

    `standing` says where it stands after that: how many people are still needed, and who said yes.
    """
    reason = masked(body.reason)
    await decide(services, action, agent, digest=body.digest, approve=body.approve, reason=reason)
    await tell(services, action.id)
    return await _whole(services, await the_action(action.id, services))


@router.post("/threads/{thread_id}/proposals", status_code=201)
async def propose_action(thread: OwnThread, body: Proposing, agent: CurrentAgent, services: ServicesDep) -> Json:
    """Puts an action to the customer of this thread; they agree to it, and another colleague approves it."""
    return await _whole(services, await propose(services, thread, agent, body))


async def _overdue(services: Services) -> list[Action]:
    """What waits for longer than it may, and what something was promised of that did not happen in time."""
    late = {action.id: action for action in await services.ledger.overdue_actions(limit=200)}
    for promise in await services.ledger.overdue_promises(datetime.now(UTC)):
        if promise.action and promise.action not in late and (action := await services.ledger.action(promise.action)):
            late[action.id] = action
    return list(late.values())


async def _whole(services: Services, action: Action) -> Json:
    ledger = services.ledger
    approvals = await ledger.approvals(action.id)
    assessments = await ledger.assessments_of(action.id)
    receipt = await ledger.receipt_of(action.id)
    return {
        **action_json(action),
        "standing": standing(action, approvals),
        "approvals": [approval_json(one) for one in approvals],
        "approvals_missing": approvals_missing(action, approvals),
        "approvals_given": sum(one.verdict == "approve" for one in approvals),
        "events": [event_json(event) for event in await ledger.action_events(action.id)],
        "assessments": [assessment_json(one) for one in assessments],
        "promises": [promise_json(one) for one in await ledger.promises(action=action.id)],
        "effects": [effect_json(one) for one in await ledger.effects(action.id)],
        "receipt": receipt_json(receipt) if receipt else None,
        "section": await _section(services, assessments),
    }


async def _section(services: Services, assessments: list[Assessment]) -> Json | None:
    """The policy document's own words behind the newest verdict. The decision can be made without them."""
    if not assessments:
        return None
    verdict = assessments[-1].verdict
    try:
        passage = await services.plugs.knowledge.section(verdict["document"], verdict["anchor"])
    except KnowledgeUnavailable:
        return None
    return passage_json(passage) if passage else None
