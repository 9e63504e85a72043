"""The one place that repeats a request to Stripe. The SDK's own retries are switched off.

A read may always be repeated. A write may be repeated because every attempt carries the same idempotency key
and parameters; but once one attempt went unanswered, a later refusal no longer proves that nothing happened.

A 429, `lock_timeout` among them, is backed off here: the SDK would not. While the breaker is open nothing is sent,
which is `BillingUnavailable` for a read. A write that was never sent certainly did not happen: it is `NotSent`, and
`OutcomeUnknown` only when an earlier attempt had left.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import stripe
import structlog

from tools.billing.breaker import Breaker, NotSentError
from tools.billing.faults import Fault, fault_of, read_error, worth_repeating, write_error
from tools.errors import BillingUnavailable, NotSent, OutcomeUnknown

log = structlog.get_logger()
_PERMISSION = re.compile(r"rak_\w{1,80}")

Result = TypeVar("Result")
Request = Callable[[], Awaitable[Result]]


class _GaveUpError(Exception):
    def __init__(self, error: stripe.StripeError | NotSentError, *, unclear: bool) -> None:
        super().__init__()
        self.error = error
        self.unclear = unclear


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How long we keep asking. Times are seconds."""

    attempts: int = 3
    first_delay: float = 0.5
    longest_delay: float = 4.0
    budget: float = 15.0
    """No attempt starts later than this after the first: somebody is waiting in a chat."""
    breaker: Breaker | None = None

    async def read(self, request: Request[Result]) -> Result:
        """Raises `NotFound` or `BillingUnavailable`."""
        try:
            return await self._persist(request)
        except _GaveUpError as gave_up:
            _say_refused_key(gave_up.error)
            if isinstance(gave_up.error, NotSentError):
                raise BillingUnavailable from gave_up.error
            raise read_error(gave_up.error) from gave_up.error

    async def write(self, request: Request[Result]) -> Result:
        """Raises `BillingRefused` or `NotSent` when nothing happened for certain, else `OutcomeUnknown`."""
        try:
            return await self._persist(request)
        except _GaveUpError as gave_up:
            _say_refused_key(gave_up.error)
            if isinstance(gave_up.error, NotSentError):
                raise (OutcomeUnknown() if gave_up.unclear else NotSent()) from gave_up.error
            raise write_error(gave_up.error, unclear=gave_up.unclear) from gave_up.error

    async def _persist(self, request: Request[Result]) -> Result:
        started, unclear, attempt = time.monotonic(), False, 0
        while True:
            attempt += 1
            try:
                return await (self.breaker.send(request) if self.breaker else request())
            except NotSentError as error:
                raise _GaveUpError(error, unclear=unclear) from error
            except stripe.StripeError as error:
                unclear = unclear or fault_of(error) is Fault.UNCLEAR
                delay = self._delay(error, attempt, time.monotonic() - started)
                if delay is None:
                    raise _GaveUpError(error, unclear=unclear) from error
            await asyncio.sleep(delay)

    def _delay(self, error: stripe.StripeError, attempt: int, elapsed: float) -> float | None:
        """Seconds until the next attempt, or None to stop."""
        if attempt >= self.attempts or not worth_repeating(error):
            return None
        delay = max(self._backoff(attempt), retry_after(error) or 0.0)
        return delay if elapsed + delay <= self.budget else None

    def _backoff(self, attempt: int) -> float:
        ceiling: float = min(self.first_delay * 2 ** (attempt - 1), self.longest_delay)
        # Jitter spreads a crowd of callers; it guards no secret.
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - see above


def _say_refused_key(error: Exception) -> None:
    """Only whoever runs this can mend it. Not in Stripe's words, which hold key and account."""
    if isinstance(error, stripe.PermissionError):
        named = _PERMISSION.search(str(error))
        log.error("stripe.permission_missing", permission=named[0] if named else "not named", request=error.request_id)
    elif isinstance(error, stripe.AuthenticationError):
        log.error("stripe.key_refused", request=error.request_id)


def retry_after(error: stripe.StripeError) -> float | None:
    """Seconds that Stripe asked us to wait. The header's date form is not used by Stripe."""
    headers: Any = error.headers or {}
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
