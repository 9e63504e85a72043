"""The application: routes, middleware, and a lifespan that opens everything and closes it in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import httpx
from fastapi import FastAPI

from graphs.plugs import open_plugs
from graphs.settings import Settings
from server.access import refuse_undeclared
from server.auth import Tokens
from server.limits import Limits
from server.metrics import Metrics
from server.middleware import SmallJson, Surround, allow_origins
from server.problems import handle_errors
from server.refusals import describe
from server.routes import (
    actions,
    assistants,
    chat,
    demo,
    desk,
    desk_actions,
    desk_switches,
    health,
    page,
    promises,
    protocol,
    receipts,
    runs,
    sessions,
    state,
    stateless,
    threads,
    webhooks,
)
from server.services import Common, Services
from server.worker import OpenPlugs, open_common


def create_app(settings: Settings, *, plugs: OpenPlugs = open_plugs, works: bool = True) -> FastAPI:
    """Nothing is opened before the lifespan starts. `works`: carries out runs, too."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(plugs(settings))
            common = await stack.enter_async_context(open_common(opened, settings, metrics, works=works))
            app.state.services = await _services(common, stack)
            yield

    app = FastAPI(
        title="Counterfoil",
        version=version("counterfoil"),
        description="A billing-support agent that leaves a checkable receipt for everything it did.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.metrics = metrics
    handle_errors(app)
    for part in (health, sessions, assistants, threads, state, runs, stateless, protocol, chat):
        app.include_router(part.router)
    for part in (actions, receipts, webhooks, demo, page):
        app.include_router(part.router)
    for part in (desk, desk_actions, desk_switches, promises):
        app.include_router(part.router)
    page.mount_static(app)
    refuse_undeclared(app)
    describe(app)
    app.add_middleware(SmallJson)
    if settings.allowed_origins:
        allow_origins(app, settings.allowed_origins)
    app.add_middleware(Surround, metrics=metrics)
    return app


async def _services(common: Common, stack: AsyncExitStack) -> Services:
    settings, plugs = common.settings, common.plugs
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
    limits = Limits(
        redis=plugs.redis, metrics=common.metrics, demo=settings.demo, stream_seconds=settings.stream_seconds
    )
    tokens = Tokens.from_settings(settings, http)
    return Services(**vars(common), tokens=tokens, limits=limits, http=http)
