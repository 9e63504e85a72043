"""Receipts, for the customer whose conversation they came from and for staff."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from server.auth import Caller, Rule, guards
from server.present import receipt_json
from server.services import ServicesDep
from server.threads import is_own
from tools.errors import NotFound
from tools.ledger.types import Receipt

router = APIRouter(tags=["receipts"])


@guards(Rule.OWNER)
async def own_receipt(number: Annotated[str, Path(max_length=40)], caller: Caller, services: ServicesDep) -> Receipt:
    """Staff may see every receipt; anybody else's looks like none."""
    missing = NotFound("There is no such receipt.")
    receipt = await services.ledger.receipt(number)
    action = await services.ledger.action(receipt.action) if receipt else None
    if receipt is None or action is None:
        raise missing
    if not caller.is_staff and not await is_own(services.ledger, caller, action):
        raise missing
    return receipt


@router.get("/receipts/{number}")
async def get_receipt(receipt: Annotated[Receipt, Depends(own_receipt)]) -> dict[str, Any]:
    return receipt_json(receipt)
