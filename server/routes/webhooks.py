"""What others tell us."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from server.auth import Rule, guards
from server.network import network_of
from server.services import ServicesDep
from tools.billing.webhooks import StripeEvent
from tools.errors import InvalidRequest

STRIPE = "/webhooks/stripe"
router = APIRouter(tags=["webhooks"])


@guards(Rule.SIGNED)
async def delivered(
    request: Request, services: ServicesDep, stripe_signature: Annotated[str | None, Header()] = None
) -> StripeEvent:
    """Nothing but the signature says who is calling."""
    try:
        return services.inbox.verified(await request.body(), stripe_signature)
    except InvalidRequest:
        await services.limits.count("unsigned", network_of(request))
        raise


@router.post(STRIPE, responses={503: {"description": "No secret is set to verify deliveries with."}})
async def receive_stripe_event(
    event: Annotated[StripeEvent, Depends(delivered)], services: ServicesDep
) -> dict[str, bool]:
    """An event of Stripe's. It is written down, and worked off after the answer."""
    await services.inbox.receive(event)
    return {"received": True}
