"""The application: routes, middleware, and a lifespan that opens everything and closes it in reverse."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import httpx
from fastapi import FastAPI

from graphs.keys import keyring
from graphs.plugs import Plugs, open_plugs
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from server.access import refuse_undeclared
from server.auth import Tokens
from server.case_sweep import sweep_cases
from server.erasure import Eraser
from server.events import EventLog
from server.limits import Limits
from server.metrics import Metrics
from server.middleware import SmallJson, Surround, allow_origins
from server.problems import handle_errors
from server.promises.means import Means
from server.promises.sweep import sweep_promises
from server.refusals import describe
from server.retention import Retention, sweep_retention
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
from server.runs.executor import Executor
from server.runs.queue import RunQueue
from server.services import Services, author_of
from server.stripe_inbox import StripeInbox
from server.stripe_reactions import Reactions
from server.tasks import background
from server.temporary import sweep_temporary
from tools.errors import ConfigurationError

OpenPlugs = Callable[[Settings], AbstractAsyncContextManager[Plugs]]


def create_app(settings: Settings, *, plugs: OpenPlugs = open_plugs) -> FastAPI:
    """Nothing is opened before the lifespan starts."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(plugs(settings))
            app.state.services = await _services(opened, settings, metrics, stack)
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


async def _services(plugs: Plugs, settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Services:
    if settings.redis_url is None:
        raise ConfigurationError("REDIS_URL is not set. `counterfoil serve` starts an embedded Redis by itself.")
    metrics.watch_stripe(lambda: plugs.billing.breaker_state)
    events = await stack.enter_async_context(EventLog.open(settings.redis_url, keys=keyring(settings)))
    executor = Executor(
        redis=plugs.redis,
        ledger=plugs.ledger,
        events=events,
        metrics=metrics,
        graphs=plugs.graphs,
        context=plugs.context,
        author=author_of(settings),
    )
    queue = await stack.enter_async_context(
        RunQueue.open(url=settings.redis_url, ledger=plugs.ledger, executor=executor)
    )
    await stack.enter_async_context(background(sweep_cases(plugs.cases, queue)))
    reactions = Reactions(ledger=plugs.ledger, billing=plugs.billing, cases=plugs.cases, queue=queue)
    await stack.enter_async_context(background(sweep_promises(means_of(plugs, queue, reactions, metrics))))
    await stack.enter_async_context(background(sweep_retention(retention_of(plugs, settings, events))))
    inbox = await stack.enter_async_context(
        StripeInbox.open(
            url=settings.redis_url, settings=settings, ledger=plugs.ledger, reactions=reactions, metrics=metrics
        )
    )
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
    services = Services(
        settings=settings,
        plugs=plugs,
        tokens=Tokens.from_settings(settings, http),
        events=events,
        queue=queue,
        inbox=inbox,
        metrics=metrics,
        limits=Limits(redis=plugs.redis, metrics=metrics, demo=settings.demo, stream_seconds=settings.stream_seconds),
        http=http,
    )
    await stack.enter_async_context(background(sweep_temporary(services)))
    return services


def retention_of(plugs: Plugs, settings: Settings, events: EventLog) -> Retention:
    eraser = Eraser(ledger=plugs.ledger, redis=plugs.redis, saver=RedisSaver(plugs.redis), events=events)
    return Retention(
        eraser=eraser, conversation_days=settings.retention_days, stripe_event_days=settings.stripe_event_days
    )


def means_of(plugs: Plugs, queue: RunQueue, reactions: Reactions, metrics: Metrics) -> Means:
    return Means(
        ledger=plugs.ledger,
        billing=plugs.billing,
        cases=plugs.cases,
        queue=queue,
        reactions=reactions,
        metrics=metrics,
    )
