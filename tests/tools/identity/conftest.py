from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.fixtures.keys import KEYS
from tests.tools.identity.fakes import Clock, Directory, Ledger, Post
from tools.identity.verifier import Verifier

PEPPER = b"sixteen bytes or more of pepper"


@dataclass
class World:
    """A verifier with everything around it."""

    verifier: Verifier
    ledger: Ledger
    post: Post
    billing: Directory
    clock: Clock
    redis: Redis

    def wrong(self) -> str:
        """A code that was not mailed."""
        return f"{(int(self.post.code) + 1) % 1_000_000:06}"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def build(redis: Redis) -> Callable[..., World]:
    def build(**options: Any) -> World:
        ledger, post, billing, clock = Ledger(), Post(), Directory(), Clock()
        verifier = Verifier(redis, ledger, post, billing, pepper=PEPPER, keys=KEYS, clock=clock, **options)
        return World(verifier, ledger, post, billing, clock, redis)

    return build


@pytest.fixture
def world(build: Callable[..., World]) -> World:
    return build()
