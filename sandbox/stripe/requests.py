"""JSON in, JSON out, refusals in Stripe's form: the manner of everything under `/_sandbox`."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.stripe.errors import Json, StripeFailure


def answered(action: Callable[[Request], Awaitable[Json]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await action(request))
        except StripeFailure as failure:
            return JSONResponse(failure.body("req_sandbox"), failure.status)

    return endpoint


async def json_body(request: Request) -> Json:
    """The body's JSON object; nothing is an empty one."""
    raw = await request.body()
    try:
        body: Any = await request.json() if raw else {}
    except ValueError as failure:
        raise StripeFailure("The body is not JSON.") from failure
    if not isinstance(body, dict):
        raise StripeFailure("The body is not a JSON object.")
    return body
