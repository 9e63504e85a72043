"""Errors as problem+json (RFC 9457): a stable `code`, a sentence, and never what a library said."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from tools.errors import CounterfoilError, RateLimited, Unavailable
from tools.safety.deep import mask_deep
from tools.safety.mask import mask

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] | None = None


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
    for status in (400, 401, 403, 404, 409, 413, 422, 429, 503)
}


def _refuse(request: Request, status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """A problem that is counted."""
    request.app.state.metrics.refused.labels(code).inc()
    return problem(status, code, detail, **more)


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    body = {
        "type": f"urn:counterfoil:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": mask(detail).text,
        "code": code,
        **mask_deep(more),
    }
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def handle_errors(app: FastAPI) -> None:
    app.add_exception_handler(CounterfoilError, on_our_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RedisError, on_redis_error)


async def on_our_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CounterfoilError)  # noqa: S101 - registered for these alone
    log.info("request.refused", code=error.code, status=error.status, exc_info=error.__cause__)
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = "2"
    elif error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _refuse(request, error.status, error.code, error.message, headers=headers)


async def on_redis_error(request: Request, error: Exception) -> JSONResponse:
    log.warning("redis.unavailable", exc_info=error)
    return await on_our_error(request, Unavailable("Conversations cannot be reached right now. Please try again."))


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these alone
    found = [{"field": _field(one["loc"]), "message": _said(one)} for one in error.errors()]
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return _refuse(request, 400, "invalid_json", "The body is not valid JSON.")
    first = found[0]
    where = f"{first['field']}: " if first["field"] else ""
    return _refuse(request, 422, "unprocessable", f"{where}{first['message']}", errors=found)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return _refuse(request, error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body")


def _said(error: dict[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")
