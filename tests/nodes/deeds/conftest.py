from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.books import Books
from tools.billing.breaker import Breaker
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling


@pytest_asyncio.fixture
async def billing(sandbox_process: Sandbox) -> AsyncIterator[StripeBilling]:
    """Asks once, and never loses patience for good."""
    breaker, url = Breaker(silences=1000), sandbox_process.url
    async with StripeBilling.open(sandbox_process.api_key, url, retry=Retry(attempts=1), breaker=breaker) as opened:
        yield opened


@pytest.fixture
def books(sandbox_process: Sandbox) -> Books:
    sandbox_process.reset(seed=None)
    return Books(sandbox_process)
