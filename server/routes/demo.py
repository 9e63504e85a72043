"""Demo mode: the mails that the assistant sent, since nobody has the customers' mailboxes."""

from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, Query

from server.auth import demo_only
from server.services import ServicesDep
from tools.errors import MailUnavailable

router = APIRouter(tags=["demo"], dependencies=[Depends(demo_only)])


@router.get("/demo/inbox")
async def read_inbox(email: Annotated[str, Query(max_length=320)], services: ServicesDep) -> Any:
    """Newest last. In demo mode only."""
    try:
        answer = await services.http.get(f"{services.settings.stripe_url}/_sandbox/inbox", params={"email": email})
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise MailUnavailable("The demo's mailbox does not answer.") from error
