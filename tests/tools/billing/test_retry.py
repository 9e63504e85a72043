import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stripe

from tools.billing.retry import Retry, retry_after
from tools.errors import BillingRefused, BillingUnavailable, CounterfoilError, NotFound, OutcomeUnknown

QUICK = Retry(attempts=3, first_delay=0.001, longest_delay=0.002)


def error_of(
    kind: type[stripe.StripeError] = stripe.APIError,
    status: int | None = None,
    *,
    headers: dict[str, str] | None = None,
    **body: str,
) -> stripe.StripeError:
    """As the SDK builds it: the `error` object is there when the body held one."""
    arguments: dict[str, Any] = {"http_status": status, "headers": headers or {}}
    if body:
        arguments["json_body"] = {"error": body}
    if kind in (stripe.InvalidRequestError, stripe.CardError):
        return kind("no", body.get("param"), body.get("code"), **arguments)
    return kind("no", **arguments)


NETWORK = error_of(stripe.APIConnectionError)
BROKEN = error_of(status=500, type="api_error")
GARBLED = error_of(status=200)
TWIN = error_of(status=409, type="invalid_request_error", code="idempotency_key_in_use")
THROTTLED = error_of(stripe.RateLimitError, 429, type="invalid_request_error", code="rate_limit")
REFUSED = error_of(stripe.InvalidRequestError, 400, type="invalid_request_error", code="charge_already_refunded")
TOO_MUCH = error_of(stripe.InvalidRequestError, 400, type="invalid_request_error", param="amount")
PROXY = error_of(status=403)
MISSING = error_of(stripe.InvalidRequestError, 404, type="invalid_request_error", code="resource_missing")
REVOKED = error_of(stripe.AuthenticationError, 401, type="invalid_request_error")
OTHER_PARAMETERS = error_of(stripe.IdempotencyError, 400, type="idempotency_error")


class Script:
    """Raises the given errors one after the other, then answers."""

    def __init__(self, *errors: stripe.StripeError) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


Verb = Callable[[Script], Awaitable[str]]


async def outcome(verb: Verb, script: Script) -> CounterfoilError:
    with pytest.raises(CounterfoilError) as raised:
        await verb(script)
    return raised.value


@pytest.mark.parametrize("verb", [QUICK.read, QUICK.write])
@pytest.mark.parametrize("error", [NETWORK, BROKEN, GARBLED, TWIN, THROTTLED], ids=repr)
async def test_what_may_pass_is_asked_again(verb: Verb, error: stripe.StripeError) -> None:
    script = Script(error, error)

    assert await verb(script) == "done"
    assert script.calls == 3


@pytest.mark.parametrize("verb", [QUICK.read, QUICK.write])
@pytest.mark.parametrize("error", [REFUSED, TOO_MUCH, MISSING, REVOKED, OTHER_PARAMETERS], ids=repr)
async def test_what_will_not_pass_is_asked_once(verb: Verb, error: stripe.StripeError) -> None:
    script = Script(error, error)

    await outcome(verb, script)

    assert script.calls == 1


@pytest.mark.parametrize("error", [NETWORK, BROKEN, GARBLED, TWIN, THROTTLED, REVOKED, PROXY, REFUSED], ids=repr)
async def test_a_failed_read_is_unavailable(error: stripe.StripeError) -> None:
    assert type(await outcome(QUICK.read, Script(*[error] * 3))) is BillingUnavailable


@pytest.mark.parametrize("status", [400, 404])
async def test_a_read_of_nothing_is_not_found(status: int) -> None:
    """Stripe answers 404 for an id in the path and 400 for one among the parameters."""
    error = error_of(stripe.InvalidRequestError, status, code="resource_missing", param="id")

    assert type(await outcome(QUICK.read, Script(error))) is NotFound


@pytest.mark.parametrize("error", [NETWORK, BROKEN, GARBLED, TWIN, PROXY, OTHER_PARAMETERS], ids=repr)
async def test_a_write_without_a_definite_answer_has_an_unknown_outcome(error: stripe.StripeError) -> None:
    assert type(await outcome(QUICK.write, Script(*[error] * 3))) is OutcomeUnknown


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (REFUSED, "charge_already_refunded"),
        (TOO_MUCH, "invalid_amount"),
        (MISSING, "resource_missing"),
        (REVOKED, "invalid_request_error"),
        (THROTTLED, "rate_limit"),
    ],
    ids=repr,
)
async def test_a_definite_no_to_a_write_is_refused_with_its_reason(error: stripe.StripeError, reason: str) -> None:
    refused = await outcome(QUICK.write, Script(*[error] * 3))

    assert isinstance(refused, BillingRefused)
    assert reason == refused.reason


async def test_a_no_after_an_unanswered_write_proves_nothing() -> None:
    """The first attempt may have refunded the charge, and the second be refused for that very reason."""
    assert type(await outcome(QUICK.write, Script(NETWORK, REFUSED))) is OutcomeUnknown


async def test_a_no_after_a_throttled_write_is_a_no() -> None:
    assert type(await outcome(QUICK.write, Script(THROTTLED, REFUSED))) is BillingRefused


@pytest.mark.parametrize(("advice", "calls"), [("false", 1), ("true", 3)])
async def test_the_header_of_stripe_has_the_last_word(advice: str, calls: int) -> None:
    error = error_of(status=500, type="api_error", headers={"stripe-should-retry": advice})
    script = Script(error, error, error)

    await outcome(QUICK.read, script)

    assert calls == script.calls


async def test_the_wait_that_stripe_asks_for_is_kept() -> None:
    error = error_of(stripe.RateLimitError, 429, code="rate_limit", headers={"retry-after": "0.2"})
    started = time.monotonic()

    await QUICK.read(Script(error))

    assert time.monotonic() - started >= 0.2


async def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    error = error_of(stripe.RateLimitError, 429, code="rate_limit", headers={"retry-after": "3600"})
    script = Script(error)

    assert type(await outcome(QUICK.read, script)) is BillingUnavailable
    assert script.calls == 1


@pytest.mark.parametrize("value", ["soon", "-1", "inf", "nan", ""])
def test_an_odd_wait_is_ignored(value: str) -> None:
    assert retry_after(error_of(headers={"retry-after": value})) is None


async def test_the_message_shows_nothing_of_stripe_and_the_cause_is_kept() -> None:
    failure = await outcome(QUICK.write, Script(REFUSED))

    assert failure.message == BillingRefused.default
    assert REFUSED is failure.__cause__
