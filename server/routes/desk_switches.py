"""The kill switch: off, nothing is carried out that no person has approved."""

from typing import Any

from fastapi import APIRouter, Depends

from server.auth import CurrentSupervisor, at_the_desk
from server.door import masked
from server.present import switch_json
from server.schemas import Turning
from server.services import ServicesDep
from tools.ledger.switches import AUTOMATIC

Json = dict[str, Any]
router = APIRouter(prefix="/desk/switches", tags=["desk"], dependencies=[Depends(at_the_desk)])


@router.get("/automatic")
async def get_switch(services: ServicesDep) -> Json:
    """Whether the assistant may carry anything out by itself, who said so, and why."""
    return switch_json(AUTOMATIC, await services.ledger.switch(AUTOMATIC))


@router.post("/automatic")
async def turn_switch(body: Turning, agent: CurrentSupervisor, services: ServicesDep) -> Json:
    """Counts from the next step of every case on, in every process. What is under way at Stripe goes on."""
    reason = masked(body.reason)
    turned = await services.ledger.turn_switch(AUTOMATIC, on=body.on, actor=agent.id, reason=reason)
    return switch_json(AUTOMATIC, turned)
