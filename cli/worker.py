"""`counterfoil worker`: carries out runs beside a server, until SIGTERM or Ctrl-C."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from rich.console import Console
from rich.status import Status

from cli.goodbye import goodbye
from cli.parts import prepare, refuse_taken
from graphs.settings import Settings
from tools.errors import ConfigurationError

HERE = "127.0.0.1"


def run(metrics_port: int | None) -> None:
    """Raises `ConfigurationError` or `Unavailable` when it cannot start."""
    console = Console()
    settings = Settings.read()
    refuse_alone(settings)
    if metrics_port is not None:
        refuse_taken(HERE, metrics_port, "--metrics-port")
    prepare(settings.home)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with console.status("starting") as status, contextlib.suppress(KeyboardInterrupt):
        from server.logs import configure  # noqa: PLC0415 - slow to load, and no need to when it cannot start

        configure()
        asyncio.run(_work(settings, status, metrics_port))


def refuse_alone(settings: Settings) -> None:
    """Raises `ConfigurationError` where no server is, or where it could not read what the servers write."""
    if settings.redis_url is None:
        raise ConfigurationError(
            "REDIS_URL is not set. Set it to the Redis that the server uses; `counterfoil serve` alone needs no worker."
        )
    given = {"COUNTERFOIL_SECRET": settings.secret, "COUNTERFOIL_ENCRYPTION_KEYS": settings.encryption_keys}
    kept = {"COUNTERFOIL_SECRET": "secret", "COUNTERFOIL_ENCRYPTION_KEYS": "encryption.key"}
    for name, value in given.items():
        if value is None and not (settings.home / kept[name]).exists():
            raise ConfigurationError(
                f"{name} is not set, and the state folder {settings.home} is no server's. Set it to the server's, or "
                "COUNTERFOIL_HOME to the folder of a server on this machine that was started before."
            )


async def _work(settings: Settings, status: Status, metrics_port: int | None) -> None:
    from cli.watched import watched  # noqa: PLC0415 - see run
    from graphs.plugs import Plugs, open_plugs  # noqa: PLC0415
    from server.worker import open_worker  # noqa: PLC0415

    @contextlib.asynccontextmanager
    async def plugs(chosen: Settings) -> AsyncIterator[Plugs]:
        async with open_plugs(chosen, say=status.update) as opened:
            yield opened

    async with open_worker(settings, plugs=plugs) as common, watched(common, metrics_port):
        status.stop()
        status.console.print(_ready_line(metrics_port), highlight=False, soft_wrap=True)
        await _told_to_stop()
        leaving = goodbye()
    leaving.cancel()


async def _told_to_stop() -> None:
    told = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    await told.wait()


def _ready_line(metrics_port: int | None) -> str:
    seen = f", /ok and /metrics on http://{HERE}:{metrics_port}" if metrics_port else ""
    return f"[bold green]Counterfoil's worker is ready[/]{seen}. Ctrl-C stops it."
