"""What customers were told would happen, for staff: what is overdue, and what is to come."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from server.auth import at_the_desk
from server.present import owed_json
from server.services import ServicesDep

router = APIRouter(prefix="/desk", tags=["desk"], dependencies=[Depends(at_the_desk)])


@router.get("/promises")
async def list_promises(
    services: ServicesDep, overdue: bool = True, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[dict[str, Any]]:
    """Overdue ones, the newest first; else what is still to come, the soonest first."""
    now = datetime.now(UTC)
    if overdue:
        found = (await services.ledger.overdue_promises(now))[::-1][:limit]
    else:
        found = await services.ledger.coming_promises(now, limit=limit)
    return [owed_json(promise, now) for promise in found]
