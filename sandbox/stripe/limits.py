"""Stripe's rate limits: 100 requests a second live, 25 in a sandbox, 25 for one endpoint. Off until asked for."""

import time
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.stripe.errors import StripeFailure

MESSAGE = "Request rate limit exceeded. Learn more about rate limits at https://stripe.com/docs/rate-limits."


@dataclass
class Bucket:
    """Holds a second's worth; fills as time passes."""

    per_second: float
    level: float = field(init=False)
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.level = self.per_second

    def take(self) -> bool:
        now = time.monotonic()
        self.level = min(self.per_second, self.level + (now - self.at) * self.per_second)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Limits:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.set()

    def set(self, *, per_second: Any = None, per_endpoint: Any = None) -> None:
        for limit in (per_second, per_endpoint):
            if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
                raise ValueError("a limit is a whole number of requests a second")
        self._whole = Bucket(per_second) if per_second else None
        self._per_endpoint: int | None = per_endpoint
        self._endpoints: dict[str, Bucket] = {}

    def exceeded(self, endpoint: str) -> str | None:
        """Why this request has to be refused. An endpoint is a method and a path with its placeholders."""
        if self._per_endpoint and not self._endpoints.setdefault(endpoint, Bucket(self._per_endpoint)).take():
            return "endpoint-rate"
        return "global-rate" if self._whole and not self._whole.take() else None


def limited(reason: str, request_id: str) -> Response:
    failure = StripeFailure(MESSAGE, status=429, code="rate_limit")
    headers = {"Request-Id": request_id, "Stripe-Rate-Limited-Reason": reason}
    return JSONResponse(failure.body(request_id), failure.status, headers)
