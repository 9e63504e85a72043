"""What an error of Stripe's SDK means for us, and how it is called outside this package."""

from enum import Enum, auto

import stripe

from tools.billing.declines import decline_of
from tools.errors import BillingRefused, BillingUnavailable, CounterfoilError, NotFound, OutcomeUnknown


class Fault(Enum):
    REFUSED = auto()
    """Stripe read the request and said no: nothing happened, and nothing will."""
    THROTTLED = auto()
    """Stripe did not get to it: nothing happened, and it may be asked again."""
    UNCLEAR = auto()
    """No answer that can be trusted came back: a write may or may not have happened."""


def fault_of(error: stripe.StripeError) -> Fault:
    if isinstance(error, stripe.RateLimitError):
        return Fault.THROTTLED
    # The key was used before with other parameters: what that first request did, only a read can tell.
    if isinstance(error, stripe.IdempotencyError):
        return Fault.UNCLEAR
    status = error.http_status or 0
    # A 4xx without Stripe's error object comes from something in between, a 409 from a twin in flight.
    if error.error is None or status == 409:
        return Fault.UNCLEAR
    return Fault.REFUSED if 400 <= status < 500 else Fault.UNCLEAR


def is_silence(error: stripe.StripeError) -> bool:
    """Nothing that shows a working Stripe: no answer, a 5xx, or one that is not in Stripe's form."""
    spoken = error.error is not None and 400 <= (error.http_status or 0) < 500
    return fault_of(error) is Fault.UNCLEAR and not spoken


def worth_repeating(error: stripe.StripeError) -> bool:
    """The same request may be sent again. Stripe's own header has the last word."""
    advice = (error.headers or {}).get("stripe-should-retry")
    if advice is not None:
        return advice == "true"
    return fault_of(error) is not Fault.REFUSED and not isinstance(error, stripe.IdempotencyError)


def reason_of(error: stripe.StripeError) -> str:
    """Why the bank declined, as a customer may be told; else Stripe's code, the parameter it did not like, its type."""
    body = error.error
    if body is None:
        return f"http_{error.http_status}"
    if isinstance(error, stripe.CardError):
        return decline_of(getattr(body, "decline_code", None), getattr(body, "code", None))
    code = getattr(body, "code", None) or _by_parameter(getattr(body, "param", None))
    return str(code or getattr(body, "type", None) or f"http_{error.http_status}")


def _by_parameter(param: str | None) -> str | None:
    # An amount above what is left is refused with no code; its sentence changes with the currency.
    return f"invalid_{param}" if param else None


def read_error(error: stripe.StripeError) -> CounterfoilError:
    # A 404 without Stripe's error object is a gateway's: it knows nothing of what is there.
    if error.error is not None and (error.http_status == 404 or error.code == "resource_missing"):
        return NotFound()
    return BillingUnavailable()


def write_error(error: stripe.StripeError, *, unclear: bool) -> CounterfoilError:
    """`unclear` when this or an earlier attempt may have gone through after all."""
    return OutcomeUnknown() if unclear else BillingRefused(reason=reason_of(error))
