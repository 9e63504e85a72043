"""Whether an address or a number has an account cannot be learned: not from words, events, records, limits or time.

The times of known and unknown ones are compared within one run, in turns, so that a busy machine slows both alike. A
difference counts when it is both certain (Mann-Whitney U, p < 0.001) and large (more than `BOUND` of the median).
`ENUMERATION_SAMPLES` (30 unless told) sets how many of each are asked for; what is printed says how small a difference
would be seen.
"""

import asyncio
import os
import random
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]

from graphs.settings import Settings
from tests.chaos.figures import PROPERTY
from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import Live
from tests.server.sse import all_of
from tests.server.whole import whole_server, whole_settings

SAMPLES = int(os.environ.get("ENUMERATION_SAMPLES", "30"))
BOUND = 0.10
CERTAIN = 0.001
ADDRESSES = ("ada@example.com", "nobody@example.com", "sam@example.com")
"""One account, none, two."""
PHONES = ("+1 202 555 0123", "+1 202 555 0199", "+1 202 555 0177")
"""One account, none, one without an address."""


@pytest.fixture
def settings(tmp_path: Path, trained: Path, sandbox: Sandbox, redis_url: str) -> Settings:
    return whole_settings(trained, sandbox, redis_url, f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Live]:
    async with whole_server(settings) as live:
        yield live


@dataclass
class Stranger:
    """Somebody who tries who is known, and what they get to see."""

    live: Live
    typed: str
    thread: str = ""

    async def says(self, text: str) -> tuple[list[str], str]:
        """The kinds of event in order, and the words, with what was typed put out of sight."""
        body = {"message": text, **({"thread_id": self.thread} if self.thread else {})}
        async with self.live.http(self.token) as http:
            events = await all_of(http, "POST", "/chat", json=body)
        self.thread = str(events[0].data["thread_id"])
        words = " | ".join(one.data["text"] for one in events if one.event in {"message", "status", "token"})
        return [one.event for one in events], words.replace(self.typed, "TYPED")

    async def runs(self, text: str) -> str:
        """The answer, by the Agent Server's protocol."""
        async with self.live.http(self.token) as http:
            thread = (await http.post("/threads", json={})).json()["thread_id"]
            asked = {"assistant_id": "support", "input": {"messages": [{"role": "user", "content": text}]}}
            answer = await http.post(f"/threads/{thread}/runs/wait", json=asked)
        return str(answer.json()["messages"][-1]["content"])

    async def arrives(self) -> None:
        self.token = await self.live.customer()

    async def records(self) -> list[tuple[str, Any]]:
        """What the audit log holds of the thread, but for ids."""
        entries = await self.live.services.ledger.audit_entries()
        mine = [entry for entry in entries if entry.data.get("thread") == self.thread]
        return [(entry.event, entry.data.get("met")) for entry in mine]


async def stranger(live: Live, typed: str) -> Stranger:
    found = Stranger(live, typed)
    await found.arrives()
    return found


WRONG = ("000001", "000002", "000003")


async def tries(live: Live, typed: str) -> list[Any]:
    """A wish, the address, wrong codes until the lock, and new codes until the limit."""
    somebody = await stranger(live, typed)
    said = ["show me my last invoices", typed, *WRONG, "000004", typed, "please send the code again", typed, typed]
    seen: list[Any] = [await somebody.says(text) for text in said]
    await live.services.plugs.verifier.aclose()
    return [*seen, await somebody.records()]


@pytest.mark.parametrize("these", [ADDRESSES, PHONES], ids=["addresses", "phones"])
async def test_words_events_records_and_limits_are_the_same(
    server: Live, sandbox: Sandbox, these: tuple[str, ...]
) -> None:
    sandbox.stripe().v1.customers.create({"name": "Joan", "phone": "+12025550177"})
    known, *others = [await tries(server, typed) for typed in these]

    for other in others:
        for mine, theirs in zip(known, other, strict=True):
            assert mine == theirs
    words = [words for _, words in known[:-1]]
    assert "six-digit code" in words[1]
    assert ["2 tries left", "one try left", "no longer works"] == [
        next(part for part in ("2 tries left", "one try left", "no longer works") if part in told)
        for told in words[2:5]
    ]
    assert "as many codes as we can" in words[-1]


async def test_an_address_is_limited_alike_over_many_conversations(server: Live) -> None:
    told: dict[str, list[str]] = {}
    for address in ADDRESSES:
        for _ in range(6):
            somebody = await stranger(server, address)
            told.setdefault(address, []).append((await somebody.says(address))[1])

    known, *others = told.values()
    assert all(known == other for other in others)
    assert ["as many codes as we can" in words for words in known] == [False] * 5 + [True]


@pytest.mark.parametrize("typed", ["ada@example.com", "nobody@example.com", "+1 202 555 0123", "+1 202 555 0199"])
@pytest.mark.parametrize("by", ["/chat", "/runs/wait"])
async def test_a_network_is_limited_alike_by_either_protocol(settings: Settings, typed: str, by: str) -> None:
    async with whole_server(settings.model_copy(update={"codes_per_network": 2})) as live:
        for number in range(2):
            assert "as many codes" not in (await (await stranger(live, "")).says(f"other{number}@example.com"))[1]
        somebody = await stranger(live, typed)
        words = (await somebody.says(typed))[1] if by == "/chat" else await somebody.runs(typed)

    assert "We've sent as many codes as we can for now" in words.replace(" | ", "")


@dataclass
class Times:
    """Seconds that known and unknown ones took, in the same order of asking."""

    known: list[float]
    unknown: list[float]

    def report(self, what: str) -> str:
        low, high = self.interval()
        refused = BOUND * float(np.median(self.unknown))
        return (
            f"{what}: n = {len(self.known)} known and {len(self.unknown)} unknown; medians {self.median(self.known)} "
            f"and {self.median(self.unknown)} ms; difference {1000 * self.difference:+.2f} ms ({self.share:+.1%}), "
            f"95 % of resampled ones {1000 * low:+.2f} to {1000 * high:+.2f} ms; p = {self.p:.3f}; refused is what is "
            f"certain and above {1000 * refused:.1f} ms ({BOUND:.0%})"
        )

    @staticmethod
    def median(seconds: list[float]) -> str:
        return f"{1000 * float(np.median(seconds)):.1f}"

    @property
    def difference(self) -> float:
        return float(np.median(self.known) - np.median(self.unknown))

    @property
    def share(self) -> float:
        return self.difference / float(np.median(self.unknown))

    @property
    def p(self) -> float:
        return float(mannwhitneyu(self.known, self.unknown).pvalue)

    def interval(self) -> tuple[float, float]:
        """Of the difference of medians, by bootstrap."""
        chance = np.random.default_rng(20261126)
        drawn = [
            np.median(chance.choice(self.known, len(self.known)))
            - np.median(chance.choice(self.unknown, len(self.unknown)))
            for _ in range(2_000)
        ]
        low, high = np.percentile(drawn, [2.5, 97.5])
        return float(low), float(high)

    @property
    def tell(self) -> bool:
        return self.p < CERTAIN and abs(self.share) > BOUND


class FarAway:
    """A mail server or a Stripe beyond a network: whatever waits for it for some people only is seen."""

    def __init__(self, near: Any, seconds: float) -> None:
        self.near = near
        self.seconds = seconds

    def __getattr__(self, name: str) -> Any:
        async def ask(*given: Any, **more: Any) -> Any:
            await asyncio.sleep(self.seconds)
            return await getattr(self.near, name)(*given, **more)

        return ask


def put_far_away(live: Live) -> None:
    verifier = live.services.plugs.verifier
    verifier._mailer = FarAway(verifier._mailer, 0.1)
    verifier._billing = FarAway(verifier._billing, 0.05)


async def measured(live: Live, typed: Callable[..., str]) -> Times:
    """How long the answer to an address or number takes, known and unknown in turns, in random order of the two."""
    times: dict[bool, list[float]] = {True: [], False: []}
    order = random.Random(7)  # noqa: S311 - a seeded one is the point
    for number in range(-3, SAMPLES):  # the first few warm up what is slow once
        for known in order.sample([True, False], 2):
            somebody = await stranger(live, typed(number % SAMPLES, known=known))
            begun = time.perf_counter()
            await somebody.says(somebody.typed)
            times[known] += [time.perf_counter() - begun] * (number >= 0)
            await live.services.plugs.verifier.aclose()
    return Times(known=times[True], unknown=times[False])


def person(number: int, *, known: bool) -> str:
    return f"person{number:05}.{'abc' if known else 'xyz'}@example.com"


def phone(number: int, *, known: bool) -> str:
    return f"+1202{'556' if known else '557'}{number:04}"


async def test_the_time_of_an_answer_does_not_tell(
    server: Live, sandbox: Sandbox, record_property: Callable[[str, object], None]
) -> None:
    client = sandbox.stripe()
    for number in range(SAMPLES):
        who = {"email": person(number, known=True), "phone": phone(number, known=True), "name": "Somebody"}
        client.v1.customers.create(cast("Any", who))
    put_far_away(server)
    told = {"e-mail": await measured(server, person), "phone": await measured(server, phone)}

    for what, times in told.items():
        record_property(PROPERTY, times.report(what))
    assert [] == [times.report(what) for what, times in told.items() if times.tell]


def test_a_difference_that_is_there_is_found() -> None:
    chance = random.Random(1)  # noqa: S311 - same
    alike = [0.1 + 0.02 * chance.random() for _ in range(200)]
    slower = [0.1 + 0.02 * chance.random() + 0.02 for _ in range(100)]

    assert not Times(known=alike[:100], unknown=alike[100:]).tell
    assert Times(known=slower, unknown=alike[100:]).tell
    assert not re.search("nan", Times(known=slower, unknown=alike[100:]).report("x"))
