"""The simulated Stripe as an ASGI application."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from sandbox.mail import Inbox
from sandbox.stripe.admin import Admin, Seeds
from sandbox.stripe.faults import Faults
from sandbox.stripe.gate import Gate
from sandbox.stripe.resources import REGISTRY
from sandbox.stripe.world import World

METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


def create_app(world: World, inbox: Inbox, seeds: Seeds) -> Starlette:
    faults = Faults()
    gate = Gate(world, REGISTRY, faults)
    stripe = [Route(route.path, gate.endpoint(route), methods=[route.method]) for route in REGISTRY.routes()]
    unknown = Route("/v1/{rest:path}", gate.unknown, methods=METHODS)
    # A page of another site must not reach the sandbox through a name that it has pointed at 127.0.0.1.
    loopback = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    return Starlette(routes=[*stripe, unknown, *Admin(world, inbox, faults, seeds).routes()], middleware=[loopback])
