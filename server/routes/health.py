"""Is it alive, is it ready, what is it, how is it doing."""

import asyncio
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any

import structlog
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from server.auth import anybody, metrics_readers
from server.scraping import scraped
from server.services import Services, ServicesDep

log = structlog.get_logger()
router = APIRouter(tags=["health"])
OPEN = [Depends(anybody)]

# The release of the Agent Server whose protocol is spoken here; Studio looks at it.
PROTOCOL = "0.16.7"
PING_SECONDS = 3


@router.get("/ok", dependencies=OPEN)
async def ok() -> dict[str, bool]:
    return {"ok": True}


@router.get("/healthz", dependencies=OPEN)
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/info", dependencies=OPEN)
async def info(services: ServicesDep) -> dict[str, Any]:
    return {
        "version": PROTOCOL,
        "langgraph_py_version": version("langgraph"),
        "flags": {"assistants": True, "crons": False, "langsmith": False},
        "host": {"kind": "self-hosted"},
        "counterfoil": {"version": version("counterfoil"), "demo": services.settings.demo},
    }


@router.get("/readyz", dependencies=OPEN, responses={503: {"description": "Some part does not answer."}})
async def readyz(services: ServicesDep) -> JSONResponse:
    """Every part that a conversation needs, asked now."""
    pings = _pings(services)
    answers = await asyncio.gather(*(_answer(name, ping) for name, ping in pings.items()))
    parts = dict(zip(pings, answers, strict=True))
    ready = all(answer == "ok" for answer in answers)
    return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503)


class Exposition(PlainTextResponse):
    """As Prometheus reads it."""

    media_type = CONTENT_TYPE_LATEST


@router.get("/metrics", response_class=Exposition, dependencies=[Depends(metrics_readers)])
async def metrics(services: ServicesDep) -> str:
    return await scraped(services)


def _pings(services: Services) -> dict[str, Awaitable[Any]]:
    context = services.plugs.context
    return {
        "ledger": services.ledger.ping(),
        "redis": services.events.tail("readyz"),
        "billing": context.billing.find_by_email("readyz@counterfoil.invalid"),
        "knowledge": context.knowledge.section("readyz", "readyz"),
    }


async def _answer(name: str, ping: Awaitable[Any]) -> str:
    try:
        async with asyncio.timeout(PING_SECONDS):
            await ping
    except Exception:
        log.warning("readyz.failed", part=name, exc_info=True)
        return "failed"
    return "ok"
