"""The dependencies that let callers through. Each says its rule; a route without one does not start (access.py)."""

from typing import Annotated

import structlog
from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from server.auth.principal import IN_CHARGE, Principal
from server.auth.rules import Rule, guards
from server.auth.service_keys import service_of
from server.limits import kind_of, route_of
from server.network import network_of
from server.services import Services, ServicesDep
from tools.errors import Forbidden, NotFound, Unauthorized
from tools.ledger.service_keys import KeyText

_bearer = HTTPBearer(
    auto_error=False, description="A session from POST /sessions, a staff token, or a service key (cf_...)."
)


async def presented(
    request: Request,
    services: ServicesDep,
    response: Response,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Whoever it is, counted. No guard: machines come through here, too."""
    try:
        principal = await _principal(services, response, credentials)
    except Unauthorized:
        await services.limits.count("refused", network_of(request))
        raise
    structlog.contextvars.bind_contextvars(caller=principal.id, role=principal.role)
    await services.limits.count(kind_of(request), f"{principal.id}:{route_of(request)}")
    return principal


async def _principal(
    services: Services, response: Response, credentials: HTTPAuthorizationCredentials | None
) -> Principal:
    if credentials is None:
        raise Unauthorized
    if key := KeyText.read(credentials.credentials):
        return await service_of(key, services.ledger, response)
    return await services.tokens.principal(credentials.credentials)


Presented = Annotated[Principal, Depends(presented)]


@guards(Rule.OPEN)
async def anybody() -> None:
    """Declares that a route needs no token."""


@guards(Rule.DEMO)
async def demo_only(services: ServicesDep) -> None:
    if not services.settings.demo:
        raise NotFound


@guards(Rule.CALLER)
async def verified(caller: Presented) -> Principal:
    if caller.is_service:
        raise Forbidden("A service key cannot do this: it needs the token of a customer or of staff.")
    return caller


Caller = Annotated[Principal, Depends(verified)]


@guards(Rule.CUSTOMER)
async def customers_only(caller: Caller) -> Principal:
    if caller.is_staff:
        raise Forbidden("This needs a customer's token. POST /sessions returns one.")
    return caller


@guards(Rule.STAFF)
async def staff_only(caller: Caller) -> Principal:
    if not caller.is_staff:
        raise Forbidden("This needs a staff token.")
    return caller


@guards(Rule.SUPERVISOR)
async def in_charge(agent: Annotated[Principal, Depends(staff_only)]) -> Principal:
    if agent.role not in IN_CHARGE:
        raise Forbidden("Only a supervisor or an admin may turn this. Ask one of them.")
    return agent


@guards(Rule.DESK)
async def at_the_desk(caller: Presented, request: Request) -> Principal:
    """Before everything at the desk, so that nobody else learns even what is not there."""
    if request.method == "GET" and "desk:read" in caller.scopes:
        return caller
    if caller.is_service:
        raise Forbidden("A service key only reads the desk, and needs the scope desk:read for it.")
    return await staff_only(caller)


@guards(Rule.METRICS)
async def metrics_readers(caller: Presented) -> Principal:
    if "metrics" not in caller.scopes and caller.role not in IN_CHARGE:
        raise Forbidden("Metrics need a service key with the scope metrics, or the token of a supervisor or an admin.")
    return caller


CurrentCustomer = Annotated[Principal, Depends(customers_only)]
CurrentAgent = Annotated[Principal, Depends(staff_only)]
CurrentSupervisor = Annotated[Principal, Depends(in_charge)]
