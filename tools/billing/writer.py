"""How every write to Stripe goes out: in its turn, repeated under one key, with an answer or an honest doubt."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stripe

from tools.billing.ids import checked_key, is_stripe_id
from tools.billing.retry import Retry
from tools.billing.translate import MARK, Json
from tools.billing.turns import Turns
from tools.errors import BillingRefused, NotSent, OutcomeUnknown

MAILING = "send"
"""The step of `resend_invoice` that mails: Stripe's event of it names the key."""
Result = TypeVar("Result")
Request = Callable[[], Awaitable[stripe.StripeObject]]


class Writer:
    def __init__(self, client: stripe.StripeClient, *, retry: Retry, turns: Turns | None = None) -> None:
        self._v1 = client.v1
        self._retry = retry
        self._turns = turns or Turns()

    async def _write(self, target: str, request: Request, into: Callable[[Json], Result]) -> Result:
        async with self._turns.of(target):
            return await self._send(request, into)

    async def _send(self, request: Request, into: Callable[[Json], Result]) -> Result:
        """Within a turn: one step of a write that has several."""
        answer = await self._retry.write(request)
        try:
            return into(answer.to_dict())
        except (KeyError, TypeError, ValueError, IndexError) as error:
            # Stripe has acted, so an answer that we cannot read must not look like a failure.
            raise OutcomeUnknown from error

    async def _send_next(self, request: Request, into: Callable[[Json], Result]) -> Result:
        """A later step of a write: an earlier one has left us already, so `NotSent` would not be true."""
        try:
            return await self._send(request, into)
        except NotSent as error:
            raise OutcomeUnknown from error


def checked(stripe_id: str) -> str:
    if not is_stripe_id(stripe_id):
        raise BillingRefused(reason="resource_missing")
    return stripe_id


def under(idempotency_key: str, step: str = "") -> stripe.RequestOptions:
    """A write of several steps has a key for each, made from its one."""
    return {"idempotency_key": key_of(idempotency_key, step)}


def key_of(idempotency_key: str, step: str) -> str:
    return checked_key(f"{idempotency_key}:{step}" if step else idempotency_key)


def by(action_id: str, power: str = "") -> dict[str, str]:
    """The metadata by which a reader finds what we did.

    What lives on and is changed again keeps a mark of each `power` besides: a later change of another kind writes
    over `action_id`, but not over that.
    """
    marked = {f"{MARK}_{power}": action_id} if power else {}
    return {MARK: action_id, **marked}
