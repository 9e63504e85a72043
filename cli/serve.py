"""`counterfoil serve`: the server, the worker and the embedded parts, until Ctrl-C."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.status import Status

from cli.parts import parts, prepare, refuse_taken
from graphs.plugs import Plugs, open_plugs
from graphs.settings import Settings
from server.app import create_app
from server.logs import configure
from tools.errors import ConfigurationError, CounterfoilError

LOG = Path("logs") / "server.log"
GRACE = 3
"""Seconds that open streams get to end."""


def run(port: int | None) -> None:
    """Serves until SIGINT or SIGTERM. Raises `ConfigurationError` before anything is half started."""
    console = Console()
    settings = Settings.read()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    refuse_taken(settings.host, settings.port, "PORT")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prepare(settings.home)
    configure(settings.home / LOG)
    with console.status("starting") as status, contextlib.suppress(KeyboardInterrupt), parts(settings) as complete:
        asyncio.run(_serve(complete, status))


async def _serve(settings: Settings, status: Status) -> None:
    @contextlib.asynccontextmanager
    async def plugs(chosen: Settings) -> AsyncIterator[Plugs]:
        async with open_plugs(chosen, say=status.update) as opened:
            yield opened

    app = create_app(settings, plugs=plugs)
    server = Server(app, settings, status)
    with contextlib.suppress(SystemExit):  # how uvicorn says that the start failed
        await server.serve()
    match server.failure:
        case None:
            return
        case CounterfoilError() as failure:
            raise failure
        case unexpected:
            raise ConfigurationError(
                f"The server could not start. The reason is in {settings.home / LOG}."
            ) from unexpected


class Server(uvicorn.Server):
    """Says one line when it is ready, and keeps the reason when it cannot start."""

    def __init__(self, app: FastAPI, settings: Settings, status: Status) -> None:
        self.failure: Exception | None = None
        self.app, self.settings, self.status = app, settings, status
        config = uvicorn.Config(
            self._keeping_failure,
            host=settings.host,
            port=settings.port,
            log_config=None,
            lifespan="on",
            interface="asgi3",
            timeout_graceful_shutdown=GRACE,
            server_header=False,
        )
        super().__init__(config)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.status.stop()
            self.status.console.print(_ready_line(self.settings), highlight=False, soft_wrap=True)

    async def _keeping_failure(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self.failure = error
            raise


def _ready_line(settings: Settings) -> str:
    where = f"http://{settings.host}:{settings.port}"
    world = "simulated Stripe and mail" if settings.demo else "Stripe"
    words = "model" if settings.has_model else "local provider"
    return f"[bold green]Counterfoil is ready[/] on {where} ({world}, {words}). Ctrl-C stops it."
