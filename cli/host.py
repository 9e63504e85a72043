"""The server in this process: one line when it is ready, one sentence when it cannot start."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from rich.status import Status

from cli.goodbye import goodbye
from graphs.plugs import Plugs, open_plugs
from graphs.settings import Settings
from server.app import create_app
from tools.errors import ConfigurationError, CounterfoilError

GRACE = 3
"""Seconds that open streams get to end."""


async def host(settings: Settings, status: Status, log: Path, *, works: bool = True) -> None:
    """Serves until a signal. Raises `ConfigurationError` or `Unavailable` when it cannot start."""

    @contextlib.asynccontextmanager
    async def plugs(chosen: Settings) -> AsyncIterator[Plugs]:
        async with open_plugs(chosen, say=status.update) as opened:
            yield opened

    app = create_app(settings, plugs=plugs, works=works)
    server = Server(app, settings, status)
    with contextlib.suppress(SystemExit):  # how uvicorn says that the start failed
        await server.serve()
    match server.failure:
        case None:
            return
        case CounterfoilError() as failure:
            raise failure
        case unexpected:
            raise ConfigurationError(f"The server could not start. The reason is in {log}.") from unexpected


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

    async def shutdown(self, sockets: Any = None) -> None:
        leaving = goodbye()
        await super().shutdown(sockets)
        leaving.cancel()

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
