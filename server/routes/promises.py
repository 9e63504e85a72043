"""What customers were told would happen, for staff: what is overdue, and what is to come."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from server.auth import staff_only
from server.services import ServicesDep
from tools.ledger.types import Promise

router = APIRouter(prefix="/desk", tags=["desk"], dependencies=[Depends(staff_only)])

EVER = timedelta(days=3650)


@router.get("/promises")
async def list_promises(
    services: ServicesDep, overdue: bool = True, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[dict[str, Any]]:
    """Overdue ones, the newest first; else what is still to come, the soonest first."""
    now = datetime.now(UTC)
    late = await services.ledger.overdue_promises(now)
    if overdue:
        found = late[::-1][:limit]
    else:
        # Those that are late and were not seen to be yet would come first.
        open_ = await services.ledger.due_promises(now + EVER, limit=limit + len(late))
        found = [promise for promise in open_ if promise.due >= now][:limit]
    return [promise_json(promise, now) for promise in found]


def promise_json(promise: Promise, now: datetime) -> dict[str, Any]:
    return {
        "id": promise.id,
        "thread_id": promise.thread,
        "action_id": promise.action,
        "kind": promise.kind,
        "text": promise.text,
        "due": promise.due.isoformat(),
        "overdue_since": promise.due.isoformat() if promise.due < now else None,
        "seen_overdue_at": promise.overdue_at.isoformat() if promise.overdue_at else None,
    }
