"""A circuit breaker before Stripe: when it does not answer, we stop asking for a while. See docs/decisions/0007.

Only silence counts: timeouts, broken connections, 5xx and answers that nobody can read. A refusal, a 404 and a 429
show that Stripe is there. After the pause one request goes first; the others wait for how it fares.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar, cast

import stripe
from fluxgate import AsyncCircuitBreaker, CallNotPermittedError
from fluxgate.permits import All
from fluxgate.retries import Cooldown
from fluxgate.signal import Signal
from fluxgate.trackers import Custom
from fluxgate.trippers import Closed, FailureStreak, HalfOpened

from tools.billing.faults import is_silence

Result = TypeVar("Result")
BreakerState = Literal["closed", "half_open", "open"]
OnChange = Callable[[BreakerState], None]


class NotSentError(Exception):
    """The breaker is open: nothing left this process."""


class Breaker:
    """For one host: a `StripeBilling` has one of its own.

    `silences` in a row open it; any answer in between starts the count again. It stays open for `pause` seconds.
    """

    def __init__(self, *, silences: int = 5, pause: float = 5.0, on_change: OnChange | None = None) -> None:
        self._on_change = on_change
        self._circuit = AsyncCircuitBreaker(
            tracker=Custom(_is_silence),
            tripper=(Closed() & FailureStreak(silences)) | (HalfOpened() & FailureStreak(1)),
            retry=Cooldown(pause),
            permit=All(),
            # A second one waits: refusing it would cancel the first where both belong to one picture.
            max_half_open_calls=1,
            listeners=[self._changed],
        )

    @property
    def state(self) -> BreakerState:
        return cast("BreakerState", self._circuit.info().state)

    async def send(self, request: Callable[[], Awaitable[Result]]) -> Result:
        """Raises `NotSentError` while it is open, else what the request raises."""
        try:
            answer = await self._circuit.call(_answered, request)
        except CallNotPermittedError as error:
            raise NotSentError from error
        if isinstance(answer, stripe.StripeError):
            raise answer
        return answer

    def _changed(self, signal: Signal) -> None:
        if self._on_change:
            self._on_change(cast("BreakerState", signal.new_state))


async def _answered(request: Callable[[], Awaitable[Result]]) -> Result | stripe.StripeError:
    """An error that is an answer is handed back, so that it counts as one and a probe can end with it."""
    try:
        return await request()
    except stripe.StripeError as error:
        if is_silence(error):
            raise
        return error


def _is_silence(error: Exception) -> bool:
    return isinstance(error, stripe.StripeError) and is_silence(error)
