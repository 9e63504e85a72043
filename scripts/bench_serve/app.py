"""Our server, whole but for the conversation: `python -m scripts.bench_serve.app HOME REDIS_URL PORT`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read by LangGraph at import, as the console script sets it

import structlog
import uvicorn
from redis.asyncio import Redis
from throttled import rate_limiter

from graphs.checkpointer import saver_options
from graphs.keys import keyring, open_ledger
from graphs.plugs import Plugs
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from scripts.bench_serve.graph import builder
from server import limits
from server.app import create_app
from tools.identity.verifier import Verifier

NOBODY: Any = SimpleNamespace(unfinished=lambda: asyncio.sleep(0, []), context=SimpleNamespace(policy=None))


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


def main() -> None:
    home, redis_url, port = sys.argv[1:]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    # One customer is the whole world here; counting goes on, refusing does not.
    limits.QUOTAS.update({kind: rate_limiter.per_sec(1_000_000, burst=1_000_000) for kind in limits.QUOTAS})
    limits.MOST_STREAMS = 1_000_000
    settings = Settings(_env_file=None, home=Path(home), redis_url=redis_url)
    app = create_app(settings, plugs=opened)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", ws="none")


if __name__ == "__main__":
    main()
