"""What a server and a worker are here: the real ones but for what is talked of, which needs no Stripe and no search."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import structlog
import uvicorn
from redis.asyncio import Redis

from graphs.checkpointer import saver_options
from graphs.keys import keyring, open_ledger
from graphs.plugs import Plugs
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from server.app import create_app
from server.runs import work as attempts
from server.worker import open_worker
from tests.chaos.talks.graph import builder
from tools.identity.verifier import Verifier

NOBODY: Any = SimpleNamespace(
    unfinished=lambda: asyncio.sleep(0, []), context=SimpleNamespace(policy=None), breaker_state="closed"
)
SECRET = "one-secret-of-all-processes-32-bytes!"


def settings_of(home: str, redis_url: str, database_url: str) -> Settings:
    return Settings(_env_file=None, home=Path(home), redis_url=redis_url, database_url=database_url, secret=SECRET)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Plugs]:
    """Ledger, Redis, sealed checkpoints and identities are the real ones; billing and knowledge nobody asks for."""
    async with open_ledger(settings) as ledger, Redis.from_url(settings.redis_url or "") as redis:
        verifier = Verifier(redis, ledger, NOBODY, NOBODY, pepper=b"p" * 32, keys=keyring(settings))
        saver = RedisSaver(redis, **saver_options(settings))
        yield Plugs(
            settings=settings,
            redis=redis,
            ledger=ledger,
            billing=NOBODY,
            knowledge=NOBODY,
            verifier=verifier,
            cases=NOBODY,
            context=cast("Any", SimpleNamespace(ledger=ledger, billing=NOBODY, knowledge=NOBODY)),
            graphs={"support": builder.compile(checkpointer=saver, name="support")},
        )


async def serve(settings: Settings, port: int) -> None:
    """As `counterfoil serve --no-worker`, until a signal."""
    app = create_app(settings, plugs=opened, works=False)
    config = uvicorn.Config(app, port=port, log_config=None, ws="none", access_log=False, timeout_graceful_shutdown=3)
    await uvicorn.Server(config).serve()


async def work(settings: Settings) -> None:
    """As `counterfoil worker`, until a signal."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with open_worker(settings, plugs=opened):
        await told.wait()


def live(home: str, redis_url: str, database_url: str, port: int | None) -> None:
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    attempts.MOST_ATTEMPTS = 100  # it is never the run that its worker dies of
    settings = settings_of(home, redis_url, database_url)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work(settings) if port is None else serve(settings, port))
