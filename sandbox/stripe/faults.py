"""Faults on demand: the next `count` requests that match go wrong in the way asked for.

kind                   what the caller sees                              was it done?
status                 the error `status`, at once                       no, and nothing is remembered
status_after_commit    the error `status`                                yes; 500 is what a same-key retry gets
                                                                         again, 502 to 504 came from a gateway and
                                                                         the retry gets the real answer
hang                   nothing for `seconds`, then a closed connection   no
hang_after_commit      the same                                          yes
reset                  a reset connection                                no
reset_after_commit     the same                                          yes
html                   a gateway's HTML page with `status`               no
slow                   the right answer after `seconds`                  yes
truncated              half of the right answer                          yes
revoked_key            401, the key has expired                          no
stale                  of a GET: the objects as they were `seconds` ago, or each before its own last change

These change what a POST does, and are spent only by one that they did change:

decline                the card declines with `code`: card_declined, insufficient_funds, expired_card,
                       authentication_required
dispute_before         a chargeback is opened on the charge that the refund is of (or on `charge`), just before
refund_pending         the refund is `pending` and succeeds after `seconds` (60)
refund_fails_later     the refund has succeeded, and is `failed` after `seconds` (60)
refund_requires_action the refund waits for the customer; it succeeds after `seconds`, when given

`status` 429 with `code` lock_timeout, 409, 401 and the rest come with Stripe's words; `should_retry` sets its header.
With `"target": "webhook"` the fault is one of `delivery_faults`.
"""

import asyncio
import contextlib
import copy
import json
import random
import re
import socket
import struct
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.stripe.delivery_faults import WebhookFault
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.mischief import DECLINE_CODES, MISCHIEF

KINDS = (
    "status",
    "status_after_commit",
    "hang",
    "hang_after_commit",
    "reset",
    "reset_after_commit",
    "html",
    "slow",
    "truncated",
    "revoked_key",
    "stale",
    *MISCHIEF,
)
FOREVER_SECONDS = 3600.0
SEED = "counterfoil"
MESSAGES = {
    "rate_limit": "Request rate limit exceeded. Learn more about rate limits at https://stripe.com/docs/rate-limits.",
    "lock_timeout": (
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request."
    ),
    "card_declined": "Your card was declined.",
    "api_key_expired": "Expired API Key provided: sk_test_****.",
}
CODES = {402: "card_declined", 409: "idempotency_key_in_use", 429: "rate_limit"}
TYPES = {402: "card_error"}
Ordered = TypeVar("Ordered", "Fault", WebhookFault)
HTML = "<html><head><title>{0} Bad Gateway</title></head><body><h1>{0} Bad Gateway</h1><hr>edge</body></html>"


@dataclass
class Fault:
    method: str = ".*"
    path: str = ".*"
    count: int | None = 1
    """None: until cleared."""
    probability: float = 1.0
    """How often a matching request is hit, by a seeded die: the same requests meet the same faults."""
    kind: str = "status"
    status: int | None = None
    seconds: float | None = None
    code: str | None = None
    should_retry: bool | None = None
    charge: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        self._check_code()
        for pattern in (self.method, self.path):
            try:
                re.compile(pattern)
            except re.error as failure:
                raise ValueError(f"{pattern!r} is no regular expression: {failure}") from failure

    def _check_code(self) -> None:
        if self.kind == "decline":
            self.code = self.code or "card_declined"
            if self.code not in DECLINE_CODES:
                raise ValueError(f"code must be one of {', '.join(DECLINE_CODES)}")
        if self.kind == "revoked_key":
            self.status, self.code = 401, "api_key_expired"

    @property
    def after_commit(self) -> bool:
        """Whether the request runs."""
        return self.kind.endswith("_after_commit") or self.kind in {"slow", "truncated", "stale", *MISCHIEF}

    @property
    def honest(self) -> bool:
        """Whether the caller gets the answer of the request that ran."""
        return self.kind in {"slow", "stale", *MISCHIEF}

    @property
    def remembered(self) -> bool:
        """Whether Stripe itself failed after the commit, and so keeps the failure as the key's answer."""
        return self.kind == "status_after_commit" and (self.status or 500) == 500

    def matches(self, method: str, path: str) -> bool:
        only = "GET" if self.kind == "stale" else "POST" if self.kind in MISCHIEF else method
        return (
            method == only
            and bool(re.fullmatch(self.method, method, re.IGNORECASE))
            and bool(re.search(self.path, path))
        )

    async def answer(self, request: Request, request_id: str, truth: Json | None = None) -> Response:
        """What the caller gets instead of the truth."""
        if self.kind.startswith("hang"):
            await hold(request, FOREVER_SECONDS if self.seconds is None else self.seconds)
        if self.kind.startswith(("hang", "reset")):
            await drop_connection(request)
            return Response(status_code=500)
        if self.kind == "html":
            return HTMLResponse(HTML.format(self.status or 502), self.status or 502)
        headers = {"Request-Id": request_id}
        if self.kind == "truncated":
            whole = json.dumps(truth).encode()
            return Response(whole[: len(whole) // 2], 200, headers, media_type="application/json")
        if self.should_retry is not None:
            headers["Stripe-Should-Retry"] = str(self.should_retry).lower()
        return JSONResponse(self.failure().body(request_id), self.failure().status, headers)

    def failure(self) -> StripeFailure:
        status = self.status or 500
        code = self.code or CODES.get(status)
        kind = TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        message = MESSAGES.get(code or "", "An error occurred with our connection to the simulated Stripe.")
        return StripeFailure(message, status=status, kind=kind, code=code)


@dataclass
class Faults:
    waiting: list[Fault] = field(default_factory=list)
    webhooks: list[WebhookFault] = field(default_factory=list)
    die: random.Random = field(default_factory=lambda: random.Random(SEED))

    def add(self, **described: Any) -> None:
        if described.get("target") == "webhook":
            self.webhooks.append(WebhookFault(**described))
        else:
            self.waiting.append(Fault(**described))

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that matches and comes to pass, spent by one."""
        matching = (each for each in self.waiting if each.matches(method, path))
        return self._spend(next(filter(self._happens, matching), None), self.waiting)

    def take_webhook(self, event_type: str, *, early: bool = False) -> WebhookFault | None:
        """The same for a delivery; `early` is asked for at another time than the rest."""
        matching = (each for each in self.webhooks if (each.kind == "early") is early and each.matches(event_type))
        return self._spend(next(filter(self._happens, matching), None), self.webhooks)

    def _happens(self, fault: Fault | WebhookFault) -> bool:
        return fault.probability >= 1 or self.die.random() < fault.probability

    @staticmethod
    def _spend(fault: Ordered | None, waiting: list[Ordered]) -> Ordered | None:
        if fault and fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                waiting.remove(fault)
        return fault

    def give_back(self, fault: Fault) -> None:
        """The request gave it no occasion."""
        if fault.count is not None:
            fault.count += 1
            if fault not in self.waiting:
                self.waiting.insert(0, fault)

    def remembered(self) -> "Faults":
        """A copy that later requests do not spend."""
        return copy.deepcopy(self)

    def go_back(self, before: "Faults") -> None:
        kept = before.remembered()
        self.waiting, self.webhooks, self.die = kept.waiting, kept.webhooks, kept.die

    def clear(self) -> None:
        self.waiting.clear()
        self.webhooks.clear()
        self.die.seed(SEED)

    def described(self) -> list[Json]:
        return [vars(fault) for fault in (*self.waiting, *self.webhooks)]


async def hold(request: Request, seconds: float) -> None:
    """Says nothing until the time is over or the caller has given up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                continue


async def drop_connection(request: Request) -> None:
    """Closes the socket with a TCP reset, as a crashed peer would. Only uvicorn's request cycle knows the socket."""
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("connection reset on request")
    if transport.is_closing():
        return
    peer = transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # One turn of the loop, so that uvicorn knows of the loss before the route returns.
    await asyncio.sleep(0)
