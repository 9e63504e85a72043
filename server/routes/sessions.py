"""Tokens: for everybody who wants to talk, and in demo mode for everybody who wants to try the desk."""

from fastapi import APIRouter, Depends, Request

from server.auth import anybody, demo_only
from server.network import network_of
from server.problems import DOCUMENTED
from server.schemas import NewSession, NewStaff
from server.services import ServicesDep

router = APIRouter(tags=["sessions"])


@router.post("/sessions", dependencies=[Depends(anybody)], responses={401: DOCUMENTED[401]})
async def create_session(request: Request, services: ServicesDep, body: NewSession | None = None) -> dict[str, str]:
    """An anonymous session, or that of the customer whom the host site's identity token names."""
    await services.limits.count("sessions", network_of(request))
    identity = body.identity_token if body else None
    tokens = services.tokens
    return {"token": await tokens.vouched(identity) if identity else tokens.anonymous()}


@router.post("/demo/staff", dependencies=[Depends(demo_only)])
async def create_demo_staff(body: NewStaff, services: ServicesDep) -> dict[str, str]:
    """A staff token, in demo mode only."""
    return {"token": services.tokens.demo_staff(body.name, body.role)}
