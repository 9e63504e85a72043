"""The ledger's own tests run on both of its databases."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import Clock
from tools.ledger.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_ledger_url"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(url: str, clock: Clock) -> AsyncIterator[Ledger]:
    async with Ledger.open(url, clock=clock, keys=KEYS) as opened:
        yield opened
