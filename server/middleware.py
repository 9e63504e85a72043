"""What happens around every request. Plain ASGI, so that streams pass through unbuffered."""

import re
import time
from collections.abc import Sequence
from typing import Any, cast

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from langchain_core.utils.uuid import uuid7
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics
from server.problems import problem
from tools.safety.mask import mask

log = structlog.get_logger()

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BODY_LIMIT = 64 * 1024
LARGER = {"/webhooks/stripe": 256 * 1024}
"""Events carry whole invoices."""
PAGE_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Pages of these sites may call us, from the web into a private network too, as Studio does.

    Without cookies: who is calling stands in the Authorization header alone.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_credentials=False,
        allow_private_network=True,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"],
        expose_headers=["Location", "Content-Location", "X-Pagination-Total", "Retry-After", "X-Request-ID"],
        max_age=600,
    )


class Surround:
    """Request id, security headers, metrics, and a problem instead of a traceback."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen: dict[str, Any] = {"status": 0}
        request_id = _request_id(scope)
        started = time.monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id, method=scope["method"], path=scope["path"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            self.metrics.errors.labels("request").inc()
            log.exception("request.failed")
            if not seen["status"]:
                await _unexpected()(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.requests.labels(method, route, str(seen["status"])).inc()
            log.info("request", status=seen["status"], seconds=round(time.monotonic() - started, 4))


class SmallJson:
    """Reads the body up to the path's limit, and takes it for JSON, whatever type it declares (Studio: text/plain)."""

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        limit = LARGER.get(scope["path"], self.limit)
        body = await self._read(scope, receive, limit)
        if body is None:
            await problem(413, "too_large", f"A request holds up to {limit // 1024} KiB.")(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        if body:
            headers["content-type"] = "application/json"
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive, limit: int) -> bytes | None:
        """None: too large."""
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            return None
        body = b""
        while True:
            message = await receive()
            body += cast("bytes", message.get("body", b""))
            if len(body) > limit:
                return None
            if not message.get("more_body"):
                return body


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if re.fullmatch(r"[\w-]{8,64}", given) and not mask(given).found else str(uuid7())


def _unexpected() -> ASGIApp:
    return problem(500, "internal", "Something went wrong on our side.")
