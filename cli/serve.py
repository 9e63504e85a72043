"""`counterfoil serve`: the server, the worker unless there are others, and the embedded parts, until Ctrl-C."""

import asyncio
import contextlib
import importlib
import signal
from pathlib import Path

from rich.console import Console

from cli.parts import parts, prepare, refuse_taken
from graphs.settings import Settings
from tools.errors import ConfigurationError

LOG = Path("logs") / "server.log"


def run(port: int | None, *, works: bool = True) -> None:
    """Serves until SIGINT or SIGTERM. Raises `ConfigurationError` before anything is half started."""
    console = Console()
    settings = Settings.read()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    if settings.redis_url is None and not works:
        raise ConfigurationError(
            "REDIS_URL is not set. Set it to the Redis that the workers use, or leave --no-worker away."
        )
    refuse_taken(settings.host, settings.port, "PORT")
    prepare(settings.home)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        console.status("starting") as status,
        contextlib.suppress(KeyboardInterrupt),
        parts(settings, meanwhile=_load, webhooks=True) as complete,
    ):
        from cli.host import host  # noqa: PLC0415 - loaded by now, while the parts were starting
        from server.logs import configure  # noqa: PLC0415 - same

        configure(settings.home / LOG)
        asyncio.run(host(complete, status, settings.home / LOG, works=works))


def _load() -> None:
    """Half of a start is spent on reading our own libraries."""
    importlib.import_module("cli.host")
