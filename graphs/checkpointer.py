"""The checkpointer that `langgraph.json` names, so that Studio sees the conversations of a running server."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.checkpoint.serde.base import SerializerProtocol
from typing_extensions import TypedDict

from graphs.keys import keyring
from graphs.redis_saver import RedisSaver
from graphs.sealed_checkpoints import sealing_serde
from graphs.settings import Settings
from tools.errors import ConfigurationError


@asynccontextmanager
async def open_checkpointer() -> AsyncIterator[RedisSaver]:
    """A saver on `REDIS_URL`, else on the Redis of the server that runs in `COUNTERFOIL_HOME`."""
    async with RedisSaver.from_url(redis_url(), **saver_options(Settings.read())) as saver:
        yield saver


class SaverOptions(TypedDict):
    serde: SerializerProtocol
    keep_last: int | None


def saver_options(settings: Settings) -> SaverOptions:
    """Whoever writes checkpoints, server or Studio, seals them alike and keeps as many."""
    return SaverOptions(serde=sealing_serde(keyring(settings)), keep_last=settings.checkpoints_kept or None)


def redis_url() -> str:
    if url := os.environ.get("REDIS_URL"):
        return url
    record = Path(os.environ.get("COUNTERFOIL_HOME", ".counterfoil")) / "redis.url"
    try:
        return record.read_text().strip()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"No Redis is known: REDIS_URL is not set and there is no {record}. "
            "Set REDIS_URL, or start the server first (make run)."
        ) from error
