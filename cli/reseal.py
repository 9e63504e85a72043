"""`counterfoil reseal`: everything under the newest key, so that an older one can be taken away."""

from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from graphs.keys import keyring, open_ledger
from graphs.sealed_checkpoints import reseal_checkpoints
from graphs.settings import Settings
from tools.errors import ConfigurationError
from tools.ledger.resealing import OTHER
from tools.sealing.keyring import Keyring


async def run(console: Console) -> int:
    settings = Settings.read()
    keys = keyring(settings)
    ledger = await _reseal_ledger(console, settings, keys)
    checkpoints = await _reseal_checkpoints(console, settings, keys)
    said = "no checkpoints, for no Redis is known: start the server, or set REDIS_URL, and come again"
    said = said if checkpoints is None else f"{checkpoints} of checkpoints"
    console.print(f"Sealed anew with key {keys.newest!r}: {ledger} values of the ledger, {said}.")
    older = ", ".join(repr(name) for name in keys.keys if name != keys.newest)
    if older and checkpoints is not None:
        console.print(
            f"Nothing that is kept needs {older} any more. Streams of the last two days still do: "
            "take it out of COUNTERFOIL_ENCRYPTION_KEYS after that, and of every server at once."
        )
    return 0


async def _reseal_ledger(console: Console, settings: Settings, keys: Keyring) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with open_ledger(settings) as ledger:
        counted = await ledger.sealed_with()
        waiting = sum(counted[name] for name in (OTHER, *keys.keys) if name != keys.newest)
        done = 0
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("ledger", total=waiting)
            async for step in ledger.reseal():
                done += step.values
                progress.update(task, completed=done, description=step.place)
    return done


async def _reseal_checkpoints(console: Console, settings: Settings, keys: Keyring) -> int | None:
    """None when no Redis is known. The embedded one runs only while its server does."""
    record = settings.home / "redis.url"
    url = settings.redis_url or (record.read_text().strip() if record.exists() else None)
    if url is None:
        return None
    try:
        async with Redis.from_url(url) as redis:
            with console.status("checkpoints"):
                return sum([done async for done in reseal_checkpoints(redis, keys)])
    except RedisError as error:
        raise ConfigurationError(
            "The ledger is done, but Redis does not answer. Start the server, or check REDIS_URL, and come again."
        ) from error
