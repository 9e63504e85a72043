"""What a server and a worker are here."""

import asyncio
import contextlib
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import structlog
import uvicorn

from graphs.plugs import Plugs
from graphs.settings import Settings
from server.app import create_app
from server.runs import work as attempts
from server.worker import open_worker
from tests.chaos.talks.graph import builder
from tests.fixtures.talking import talking

SECRET = "one-secret-of-all-processes-32-bytes!"


def settings_of(home: str, redis_url: str, database_url: str) -> Settings:
    return Settings(_env_file=None, home=Path(home), redis_url=redis_url, database_url=database_url, secret=SECRET)


def opened(settings: Settings) -> AbstractAsyncContextManager[Plugs]:
    return talking(settings, builder)


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
