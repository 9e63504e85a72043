"""Our server, whole but for the conversation: `python -m scripts.bench_serve.app HOME REDIS_URL PORT`."""

import os
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read by LangGraph at import, as the console script sets it

import structlog
import uvicorn
from throttled import rate_limiter

from graphs.plugs import Plugs
from graphs.settings import Settings
from scripts.bench_serve.graph import builder
from server import limits
from server.app import create_app
from tests.fixtures.talking import talking


def opened(settings: Settings) -> AbstractAsyncContextManager[Plugs]:
    return talking(settings, builder)


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
