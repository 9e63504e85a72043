from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.fixtures.sandbox import Sandbox
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling
from tools.billing.transport import HttpxTransport

HASTY = Retry(attempts=3, first_delay=0.01, longest_delay=0.02)


@pytest_asyncio.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    """Waits half a second for an answer instead of ten."""
    async with StripeBilling.open(sandbox.api_key, sandbox.url, seconds=0.5, retry=HASTY) as reader:
        yield reader


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`GET /v1/charges` for each request that really left. Ask for it before `billing`."""
    requests: list[str] = []

    class Counting(HttpxTransport):
        async def request_async(
            self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
        ) -> tuple[bytes, int, Mapping[str, str]]:
            requests.append(f"{method.upper()} {urlsplit(url).path}")
            return await super().request_async(method, url, headers, post_data)

    monkeypatch.setattr("tools.billing.stripe_billing.HttpxTransport", Counting)
    return requests
