from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fixtures.sandbox import Sandbox
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling

HASTY = Retry(attempts=3, first_delay=0.01, longest_delay=0.02)


@pytest_asyncio.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    """Waits half a second for an answer instead of ten."""
    async with StripeBilling.open(sandbox.api_key, sandbox.url, seconds=0.5, retry=HASTY) as reader:
        yield reader
