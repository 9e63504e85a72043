"""Random faults at random steps, until the write has an answer or the patience ends: the laws of every write."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.books import Books
from tests.tools.billing.test_fault_matrix import AFTER, BEFORE, STEPS
from tools.billing.breaker import Breaker
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.billing.transport import HttpxTransport
from tools.errors import BillingRefused, NotSent, OutcomeUnknown

WRITES = ("pay_instalment", "credit_note", "change_subscription", "update_billing_details", "cancel_now")
PAUSE = 0.05
QUICK = [fault for fault in (*BEFORE, *AFTER) if not fault["kind"].startswith("hang")]


@dataclass(frozen=True)
class Step:
    fault: dict[str, Any]
    at: str
    count: int


@st.composite
def schedules(draw: st.DrawFn) -> tuple[str, list[list[Step]]]:
    """A write, and for each of its calls the faults that wait for it."""
    write = draw(st.sampled_from(WRITES))
    step = st.builds(Step, st.sampled_from(QUICK), st.sampled_from(STEPS[write]), st.integers(1, 3))
    return write, draw(st.lists(st.lists(step, max_size=2), min_size=1, max_size=3))


class Counting(HttpxTransport):
    left = 0

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        Counting.left += 1
        return await super().request_async(method, url, headers, post_data)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(schedule=schedules())
def test_a_write_stands_once_at_most_and_says_so(
    sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch, schedule: tuple[str, list[list[Step]]]
) -> None:
    """`pay_instalment` is also held to its charge being on the invoice that its metadata names: see `Books`."""
    monkeypatch.setattr("tools.billing.stripe_billing.HttpxTransport", Counting)
    sandbox_process.reset(seed=None)
    asyncio.run(played(Books(sandbox_process), *schedule))


async def played(books: Books, write: str, calls: list[list[Step]]) -> None:
    sandbox, arguments = books.sandbox, books.call(write)
    async with StripeBilling.open(
        sandbox.api_key,
        sandbox.url,
        retry=Retry(attempts=2, first_delay=0.001, longest_delay=0.001),
        breaker=Breaker(silences=2, pause=PAUSE),
    ) as billing:
        ask = getattr(billing.mover(), write)
        for steps in [*calls, []]:
            for step in steps:
                method, _, path = step.at.rpartition(" ")
                sandbox.fault(method=method or "POST|DELETE", path=path, count=step.count, **step.fault)
            before, Counting.left = books.made(write), 0
            said = await outcome(ask(**arguments))
            event(f"{write}: {said.__name__ if said else 'done'}")
            after = books.made(write)
            assert before <= after <= 1
            if said is None:
                assert after == 1
            if said is BillingRefused:
                assert after == 0
            if said is NotSent:
                assert (before, 0) == (after, Counting.left)
            sandbox.clear_faults()


async def outcome(call: Any) -> type[Exception] | None:
    try:
        await call
    except (BillingRefused, NotSent, OutcomeUnknown) as error:
        return type(error)
    return None
