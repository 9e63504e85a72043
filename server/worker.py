"""What carries out runs, keeps promises and works off Stripe's events, in the server's process or in its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from graphs.keys import keyring
from graphs.plugs import Plugs, open_plugs
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from server.case_sweep import sweep_cases
from server.erasure import Eraser
from server.events import EventLog
from server.metrics import Metrics
from server.promises.means import Means
from server.promises.sweep import sweep_promises
from server.retention import Retention, sweep_retention
from server.runs.executor import Executor
from server.runs.queue import RunQueue
from server.services import Common, author_of
from server.stripe_inbox import StripeInbox
from server.stripe_reactions import Reactions
from server.tasks import background
from server.temporary import sweep_temporary
from tools.errors import ConfigurationError

OpenPlugs = Callable[[Settings], AbstractAsyncContextManager[Plugs]]


@asynccontextmanager
async def open_worker(settings: Settings, *, plugs: OpenPlugs = open_plugs) -> AsyncIterator[Common]:
    """At work as long as it is open. On leaving, runs under way stop at their next step and go on at another worker."""
    async with plugs(settings) as opened, open_common(opened, settings, Metrics(), works=True) as common:
        yield common


@asynccontextmanager
async def open_common(plugs: Plugs, settings: Settings, metrics: Metrics, *, works: bool) -> AsyncIterator[Common]:
    """What a server needs to hand runs to workers; if it `works`, also all that they do."""
    if settings.redis_url is None:
        raise ConfigurationError("REDIS_URL is not set. `counterfoil serve` starts an embedded Redis by itself.")
    metrics.watch_stripe(lambda: plugs.billing.breaker_state)
    async with AsyncExitStack() as stack:
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
            RunQueue.open(url=settings.redis_url, ledger=plugs.ledger, executor=executor, works=works)
        )
        reactions = Reactions(ledger=plugs.ledger, billing=plugs.billing, cases=plugs.cases, queue=queue)
        inbox = await stack.enter_async_context(
            StripeInbox.open(
                url=settings.redis_url,
                settings=settings,
                ledger=plugs.ledger,
                reactions=reactions,
                metrics=metrics,
                works=works,
            )
        )
        common = Common(settings=settings, plugs=plugs, events=events, queue=queue, inbox=inbox, metrics=metrics)
        if works:
            await _sweep(common, reactions, stack)
        yield common


async def _sweep(common: Common, reactions: Reactions, stack: AsyncExitStack) -> None:
    """What is looked after ever again; each of them may be at work in several processes at once."""
    plugs = common.plugs
    for sweep in (
        sweep_cases(plugs.cases, common.queue),
        sweep_promises(means_of(common, reactions)),
        sweep_retention(retention_of(common)),
        sweep_temporary(common),
    ):
        await stack.enter_async_context(background(sweep))


def retention_of(common: Common) -> Retention:
    plugs, settings = common.plugs, common.settings
    eraser = Eraser(ledger=plugs.ledger, redis=plugs.redis, saver=RedisSaver(plugs.redis), events=common.events)
    return Retention(
        eraser=eraser, conversation_days=settings.retention_days, stripe_event_days=settings.stripe_event_days
    )


def means_of(common: Common, reactions: Reactions) -> Means:
    return Means(
        ledger=common.ledger,
        billing=common.plugs.billing,
        cases=common.plugs.cases,
        queue=common.queue,
        reactions=reactions,
        metrics=common.metrics,
    )
