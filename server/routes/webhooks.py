"""What others tell us."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from server.services import ServicesDep

STRIPE = "/webhooks/stripe"
router = APIRouter(tags=["webhooks"])


@router.post(STRIPE, responses={503: {"description": "No secret is set to verify deliveries with."}})
async def receive_stripe_event(
    request: Request,
    services: ServicesDep,
    stripe_signature: Annotated[str | None, Header()] = None,
) -> dict[str, bool]:
    """An event of Stripe's. It is written down, and worked off after the answer."""
    await services.inbox.receive(await request.body(), stripe_signature)
    return {"received": True}
