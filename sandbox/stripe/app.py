"""The simulated Stripe as an ASGI application."""

from collections import defaultdict
from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.mail import Inbox
from sandbox.stripe.admin import Admin, Seeds
from sandbox.stripe.delivery import Delivery
from sandbox.stripe.faults import Faults
from sandbox.stripe.gate import CAUSED, Gate
from sandbox.stripe.limits import Limits
from sandbox.stripe.resources import REGISTRY
from sandbox.stripe.world import World

ROUTE = "sandbox.route"
"""Where a request's scope holds the route that was found for it."""
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


class Announcing:
    """Tells webhooks what a request caused once that request is over, however it ended."""

    def __init__(self, app: ASGIApp, delivery: Delivery) -> None:
        self.app, self.delivery = app, delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            self.delivery.release(scope.get(CAUSED, ()))


class Directory(BaseRoute):
    """Routes by method and resource, so that a request is held against a handful of patterns, not against all."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: defaultdict[tuple[str, str], list[Route]] = defaultdict(list)
        for route in routes:
            for method in route.methods or ():
                self._routes[method, _resource(route.path)].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            for route in self._routes.get((scope["method"], _resource(scope["path"])), ()):
                match, child = route.matches(scope)
                if match is Match.FULL:
                    return match, {**child, ROUTE: route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope[ROUTE].handle(scope, receive, send)


def _resource(path: str) -> str:
    """`customers` of `/v1/customers/{id}`."""
    return path.split("/", 3)[2] if path.startswith("/v1/") else ""


def create_app(world: World, inbox: Inbox, seeds: Seeds) -> Starlette:
    """The application; its `state.gate` is what lets time pass."""
    faults = Faults()
    delivery = Delivery(world, faults)
    limits = Limits()
    gate = Gate(world, REGISTRY, faults, delivery, limits)
    stripe = Directory(Route(route.path, gate.endpoint(route), methods=[route.method]) for route in REGISTRY.routes())
    unknown = Route("/v1/{rest:path}", gate.unknown, methods=METHODS)
    # A page of another site must not reach the sandbox through a name that it has pointed at 127.0.0.1.
    loopback = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    app = Starlette(
        routes=[stripe, unknown, *Admin(world, inbox, faults, seeds, delivery=delivery, limits=limits).routes()],
        middleware=[Middleware(Announcing, delivery=delivery), loopback],
    )
    app.state.gate = gate
    return app
