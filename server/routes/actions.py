"""What customers do with what was proposed to them: see it, agree or decline, take it back, open its link."""

# ruff: noqa: FAST003 - the dependencies take it from the path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from server.auth import CurrentCustomer, Rule, guards
from server.present import own_action_json
from server.pressing import make_link, press, take_back
from server.schemas import Confirmation, Named
from server.services import Services, ServicesDep
from server.threads import CurrentSender, is_own
from tools.errors import NotFound
from tools.ledger.types import Action

Json = dict[str, Any]
router = APIRouter(prefix="/actions", tags=["actions"])


@guards(Rule.OWNER)
async def own_action(
    action_id: Annotated[str, Path(max_length=100)], caller: CurrentCustomer, services: ServicesDep
) -> Action:
    """Anybody else's looks like none."""
    action = await services.ledger.action(action_id)
    if action is None or not await is_own(services.ledger, caller, action):
        raise NotFound("There is no such action.")
    return action


OwnAction = Annotated[Action, Depends(own_action)]


@router.get("/{action_id}")
async def get_own_action(action: OwnAction, services: ServicesDep) -> Json:
    """How it stands now, and the number of its receipt once there is one."""
    return await _shown(services, action)


@router.post("/{action_id}/confirmation", status_code=202)
async def confirm_action(action: OwnAction, body: Confirmation, by: CurrentSender, services: ServicesDep) -> Json:
    """The button on the card: a yes or no to exactly this digest. The answer comes in the conversation."""
    await by.note(services.plugs, action.thread)
    run = await press(services, action, digest=body.digest, confirm=body.confirm)
    return {"thread_id": run.thread, "run_id": run.id}


@router.post("/{action_id}/withdrawal")
async def withdraw_action(action: OwnAction, body: Named, services: ServicesDep) -> Json:
    """Takes back what was agreed to, while nothing was done yet."""
    await take_back(services, action, digest=body.digest)
    return await _shown(services, action)


@router.post("/{action_id}/link")
async def open_link(action: OwnAction, services: ServicesDep, request: Request, response: Response) -> Json:
    """The way to Stripe's own page for a new card, once, within 15 minutes of the yes."""
    response.headers["Cache-Control"] = "no-store"
    link = await make_link(services, action, return_url=str(request.base_url))
    return {"url": link.url}


async def _shown(services: Services, action: Action) -> Json:
    now = await services.ledger.action(action.id) or action
    return own_action_json(now, await services.ledger.receipt_of(action.id))
