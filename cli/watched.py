"""What a worker tells those who watch it, on this machine alone: that it lives, and its figures."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from server.scraping import scraped
from server.services import Common
from server.tasks import background


@asynccontextmanager
async def watched(common: Common, port: int | None) -> AsyncIterator[None]:
    """`/ok` and `/metrics` on 127.0.0.1, open to whoever is on this machine. Without a port, nothing."""
    if port is None:
        yield
        return
    config = uvicorn.Config(_app(common), host="127.0.0.1", port=port, log_config=None, lifespan="off")
    async with background(_Silent(config).serve()):
        yield


def _app(common: Common) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/ok")
    async def ok() -> dict[str, bool]:
        await common.events.tail("ok")  # without Redis it can do nothing
        return {"ok": True}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(await scraped(common), media_type=CONTENT_TYPE_LATEST)

    return app


class _Silent(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the worker's."""
        yield
