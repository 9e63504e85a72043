"""The breaker before Stripe, with the faults that open it planted in the sandbox."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from tests.fixtures.sandbox import Sandbox
from tools.billing.breaker import Breaker, BreakerState
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.errors import BillingUnavailable, ConfigurationError, NotFound, NotSent, OutcomeUnknown
from tools.money import Money

ONCE = Retry(attempts=1)


@pytest.fixture
def states() -> list[BreakerState]:
    return []


@pytest_asyncio.fixture
async def billing(sent: list[str], states: list[BreakerState], sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    """Asks once, and not at all for an hour after three silences."""
    breaker = Breaker(silences=3, pause=3600, on_change=states.append)
    async with StripeBilling.open(sandbox.api_key, sandbox.url, seconds=0.3, retry=ONCE, breaker=breaker) as reader:
        yield reader


@pytest.fixture
def let_the_pause_pass(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def pass_by() -> None:
        later = SimpleNamespace(time=lambda: time.time() + 7200, perf_counter=time.perf_counter)
        monkeypatch.setattr("fluxgate.retries.time", later)
        monkeypatch.setattr("fluxgate.circuitbreaker.time", later)

    return pass_by


async def failing(ask: Callable[[], Awaitable[object]], times: int) -> None:
    for _ in range(times):
        with pytest.raises(BillingUnavailable):
            await ask()


async def test_silence_opens_it_and_nothing_more_is_sent(
    billing: StripeBilling, sandbox: Sandbox, sent: list[str], states: list[BreakerState]
) -> None:
    sandbox.fault(kind="reset", count=None)

    await failing(billing.ping, 10)

    assert len(sent) == 3
    assert (billing.breaker_state, states) == ("open", ["open"])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "html", "status": 502},
        {"kind": "html", "status": 403},
        {"kind": "html", "status": 200},
        {"kind": "reset"},
        {"kind": "hang"},
    ],
    ids=str,
)
async def test_whatever_is_no_word_of_stripe_is_silence(
    billing: StripeBilling, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fault(count=None, **fault)

    await failing(billing.ping, 3)

    assert billing.breaker_state == "open"


@pytest.mark.parametrize("code", ["rate_limit", "lock_timeout"])
async def test_a_throttled_request_is_no_silence(billing: StripeBilling, sandbox: Sandbox, code: str) -> None:
    sandbox.fault(count=None, kind="status", status=429, code=code)

    await failing(billing.ping, 5)

    assert billing.breaker_state == "closed"


async def test_a_revoked_key_is_no_silence(billing: StripeBilling, sandbox: Sandbox) -> None:
    sandbox.fault(count=None, kind="status", status=401)

    for _ in range(5):
        with pytest.raises(ConfigurationError):
            await billing.ping()

    assert billing.breaker_state == "closed"


async def test_what_is_not_there_is_no_silence(billing: StripeBilling) -> None:
    for _ in range(5):
        with pytest.raises(NotFound):
            await billing.charge("ch_missing")

    assert billing.breaker_state == "closed"


async def test_a_twin_in_flight_is_no_silence(billing: StripeBilling, sandbox: Sandbox) -> None:
    sandbox.fault(count=None, kind="status", status=409)

    await failing(billing.ping, 5)

    assert billing.breaker_state == "closed"


async def test_an_answer_in_between_starts_the_count_again(billing: StripeBilling, sandbox: Sandbox) -> None:
    for _ in range(4):
        sandbox.fault(kind="reset", count=2)
        await failing(billing.ping, 2)
        await billing.ping()

    assert billing.breaker_state == "closed"


async def test_after_the_pause_an_answer_closes_it(
    billing: StripeBilling, sandbox: Sandbox, states: list[BreakerState], let_the_pause_pass: Callable[[], None]
) -> None:
    sandbox.fault(kind="reset", count=3)
    await failing(billing.ping, 4)

    let_the_pause_pass()
    await billing.ping()

    assert states == ["open", "half_open", "closed"]


async def test_a_refusal_too_shows_that_stripe_is_back(
    billing: StripeBilling, sandbox: Sandbox, let_the_pause_pass: Callable[[], None]
) -> None:
    sandbox.fault(kind="reset", count=3)
    await failing(billing.ping, 3)

    let_the_pause_pass()
    with pytest.raises(NotFound):
        await billing.charge("ch_missing")

    assert billing.breaker_state == "closed"


async def test_one_request_goes_first_and_the_rest_of_the_picture_is_never_sent(
    billing: StripeBilling, sandbox: Sandbox, sent: list[str], let_the_pause_pass: Callable[[], None]
) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")
    sandbox.fault(kind="reset", count=4)
    await failing(billing.ping, 3)
    sent.clear()

    let_the_pause_pass()
    with pytest.raises(BillingUnavailable):
        await billing.picture(grace.id)
    assert (len(sent), billing.breaker_state) == (1, "open")


async def test_a_picture_goes_on_once_its_probe_is_answered(
    billing: StripeBilling, sandbox: Sandbox, let_the_pause_pass: Callable[[], None]
) -> None:
    (grace,) = await billing.find_by_email("grace@example.com")
    sandbox.fault(kind="reset", count=3)
    await failing(billing.ping, 3)

    let_the_pause_pass()
    assert (await billing.picture(grace.id)).customer == grace
    assert billing.breaker_state == "closed"


async def test_a_probe_that_is_given_up_leaves_the_way_free(
    billing: StripeBilling, sandbox: Sandbox, let_the_pause_pass: Callable[[], None]
) -> None:
    sandbox.fault(kind="reset", count=3)
    await failing(billing.ping, 3)
    let_the_pause_pass()
    sandbox.fault(kind="hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await billing.ping()

    sandbox.clear_faults()
    await billing.ping()

    assert billing.breaker_state == "closed"


async def test_a_write_that_was_never_sent_certainly_did_not_happen(
    billing: StripeBilling, sandbox: Sandbox, sent: list[str]
) -> None:
    sandbox.fault(kind="reset", count=3)
    await failing(billing.ping, 3)

    with pytest.raises(NotSent):
        await refund(billing, "ch_1")

    assert "POST /v1/refunds" not in sent


async def test_a_write_whose_repeat_was_not_sent_has_an_unknown_outcome(sandbox: Sandbox) -> None:
    """The first attempt may have moved the money before the answer was lost."""
    sandbox.fault(method="POST", path="/v1/refunds", kind="reset_after_commit", count=1)
    persistent = Retry(attempts=3, first_delay=0.001)
    breaker = Breaker(silences=1, pause=3600)
    async with StripeBilling.open(sandbox.api_key, sandbox.url, retry=persistent, breaker=breaker) as billing:
        (ada,) = await billing.find_by_email("ada@example.com")
        charge = (await billing.picture(ada.id)).charges[0]

        with pytest.raises(OutcomeUnknown):
            await refund(billing, charge.id)

    assert len(sandbox.stripe().v1.refunds.list({"charge": charge.id}).data) == 1


async def refund(billing: StripeBilling, charge: str) -> object:
    return await billing.mover().refund(
        charge=charge,
        amount=Money(500, "usd"),
        reason="requested_by_customer",
        action_id="act_1",
        idempotency_key="refund:act_1",
    )
