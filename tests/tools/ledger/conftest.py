"""The ledger's own tests run on both of its databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import Clock
from tools.ledger.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(url: str, clock: Clock) -> AsyncIterator[Ledger]:
    async with Ledger.open(url, clock=clock, keys=KEYS) as opened:
        yield opened
