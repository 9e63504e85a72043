"""A saver on the session's Redis, and requests of two demo customers: one that policy lets pass, one for a person."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from graphs.redis_saver import RedisSaver
from graphs.redis_saver.wire import Wire
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.wishes import duplicate_of_ada, year_of_grace
from tools.billing.stripe_billing import StripeBilling
from tools.policy.types import ActionRequest


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
async def saver(redis: Redis) -> RedisSaver:
    return RedisSaver(redis)


@pytest.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    async with StripeBilling.open(sandbox.api_key, sandbox.url) as opened:
        yield opened


@pytest.fixture
async def request_of_ada(billing: StripeBilling) -> ActionRequest:
    return await duplicate_of_ada(billing)


@pytest.fixture
async def request_of_grace(billing: StripeBilling) -> ActionRequest:
    return await year_of_grace(billing)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions went out each time that something was sent."""
    seen: list[int] = []
    send = Wire._send

    def counting(wire: Wire) -> None:
        seen.append(len(wire._unsent))
        send(wire)

    monkeypatch.setattr(Wire, "_send", counting)
    return seen
