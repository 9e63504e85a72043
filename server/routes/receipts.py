"""Receipts, for the customer whose conversation they came from and for staff."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from server.auth import Caller
from server.present import receipt_json
from server.services import ServicesDep
from server.threads import is_own
from tools.errors import NotFound

router = APIRouter(tags=["receipts"])


@router.get("/receipts/{number}")
async def get_receipt(
    number: Annotated[str, Path(max_length=40)], caller: Caller, services: ServicesDep
) -> dict[str, Any]:
    missing = NotFound("There is no such receipt.")
    receipt = await services.ledger.receipt(number)
    action = await services.ledger.action(receipt.action) if receipt else None
    if receipt is None or action is None:
        raise missing
    if not caller.is_staff and not await is_own(services.ledger, caller, action):
        raise missing
    return receipt_json(receipt)
