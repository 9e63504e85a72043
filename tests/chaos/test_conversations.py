"""Conversations over bad lines, while workers and servers are killed and Redis goes: each is had once, and whole.

A thousand with `make chaos`, some with `make test`; CHAOS_TALKS and CHAOS_SEED say how many and which.
"""

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.chaos.figures import Say
from tests.chaos.size import SEED, TALKS, WHOLE
from tests.chaos.talks.account import account
from tests.chaos.talks.customers import Counts, Customer
from tests.chaos.talks.laws import LAWS, Facts
from tests.chaos.talks.look import Eye
from tests.chaos.talks.town import Town, town_of
from tests.chaos.talks.trouble import LONG, SHORT, Trouble

AT_ONCE, READS, PLAN = (60, 4.0, LONG) if WHOLE else (20, 0.5, SHORT)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """PostgreSQL where there are many; SQLite has one writer among all processes."""
    if WHOLE:
        return str(request.getfixturevalue("postgres_ledger_url"))
    return f"sqlite:///{tmp_path / 'ledger.db'}"


async def test_every_conversation_is_had_once_and_whole(database_url: str, tmp_path: Path, say: Say) -> None:
    chance, counts = random.Random(SEED), Counts()  # noqa: S311 - a seed that can be given again is the point
    texts = [[f"{number}.{turn}" for turn in range(chance.randint(2, 3))] for number in range(TALKS)]
    begun = time.monotonic()
    async with town_of(tmp_path, database_url, servers=2, workers=3) as town, connections() as http:
        trouble = Trouble(town=town, chance=chance, progress=lambda: counts.ended / TALKS, plan=PLAN)
        chances = [random.Random(chance.random()) for _ in texts]  # noqa: S311
        customers = [Customer(town=town, http=http, chance=one, counts=counts) for one in chances]
        async with trouble.meanwhile():
            await all_talk(customers, texts)
        took = time.monotonic() - begun
        facts = await look(town, customers, texts)

    for line in [f"seed {SEED}", *account(counts, trouble, facts, took)]:
        say(line)
    broken = [(f"{law.__name__}, {one.turns[0].run}", found) for law in LAWS for one in facts for found in law(one)]
    assert not broken, told(broken)


def told(broken: list[tuple[str, str]]) -> str:
    """How often each law was broken, and some of what was found."""
    laws = Counter(law.partition(",")[0] for law, _ in broken)
    examples = [next(f"{law}: {found}" for law, found in broken if law.startswith(name)) for name in laws]
    return "\n".join([str(dict(laws)), *examples])


def connections() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE)
    return httpx.AsyncClient(timeout=60, limits=limits)


async def all_talk(customers: list[Customer], texts: list[list[str]]) -> None:
    """Some at once, until all have."""
    left = iter(zip(customers, texts, strict=True))

    async def one_after_another() -> None:
        for customer, words in left:
            await customer.talks(words, reads=READS)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


async def look(town: Town, customers: list[Customer], texts: list[list[str]]) -> list[Facts]:
    async with Eye.open(town) as eye:
        await eye.until_rest()
        return await asyncio.gather(*(eye.facts(one, words) for one, words in zip(customers, texts, strict=True)))
