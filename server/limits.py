"""How often anybody may ask: a bucket for each caller and route, for each network without a caller, in Redis.

The buckets are those of GCRA, which refills continuously; the library's own token bucket refills by whole seconds and
forgets the rest. Far above what a person does, so that only a program meets them.

When Redis does not answer it lets through and counts that: what is asked for needs Redis too, and fails closed.
"""

import math
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast, get_args

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from throttled.asyncio import RateLimiterType, Throttled, rate_limiter, store
from throttled.exceptions import BaseThrottledError

from server.metrics import Metrics
from tools.errors import RateLimited

log = structlog.get_logger()

Kind = Literal["reading", "talking", "changing", "sessions", "threads", "refused", "unsigned"]

QUOTAS: dict[Kind, rate_limiter.Quota] = {
    "reading": rate_limiter.per_min(600, burst=120),
    "talking": rate_limiter.per_min(30, burst=30),
    "changing": rate_limiter.per_min(60, burst=60),
    "sessions": rate_limiter.per_min(60, burst=120),
    "threads": rate_limiter.per_day(100, burst=100),
    "refused": rate_limiter.per_min(60, burst=60),
    "unsigned": rate_limiter.per_min(60, burst=60),
}
"""`refused`: requests of one network without a token that counts; `unsigned`: its deliveries that do not verify."""
SAID: dict[Kind, str] = {
    "talking": "You are writing faster than anybody can answer. Please wait a moment.",
    "threads": "So many conversations were begun today that no more can be. Please go on in one of them.",
    "sessions": "Too many sessions were asked for from your network. Please wait a moment.",
    "refused": "Too many requests without a valid token came from your network. Please wait a moment.",
    "unsigned": "Too many deliveries that do not verify came from your network.",
}
TALKS = re.compile(r"/(?:chat|commands|escalate|runs(?:/stream|/wait)?|tickets/\{ticket_id\}/messages)$")
"""Routes that bring a person's words."""
DEMO_SHARE = 50
"""In demo mode everybody is on one machine."""
READS = ("/search", "/count", "/history", "/versions", "/state/checkpoint", "/stream/events")
"""What is asked by POST and changes nothing."""
MOST_STREAMS = 20

# KEYS: open streams of somebody    ARGV: now, until when, name, how many at most
_OPEN = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIREAT', KEYS[1], math.ceil(tonumber(ARGV[2])))
return 1
"""


def route_of(request: Request) -> str:
    """The path as it is declared, so that one name in it counts like another."""
    return f"{request.method} {getattr(request.scope.get('route'), 'path', request.url.path)}"


def kind_of(request: Request) -> Kind:
    route = route_of(request)
    if request.method == "GET" or route.endswith(READS):
        return "reading"
    return "talking" if TALKS.search(route) else "changing"


class _Backend(store.RedisStoreBackend):
    """On connections that we have already, and close ourselves."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._client = cast("Any", redis)


class _Store(store.RedisStore):
    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._backend = _Backend(redis)


@dataclass(kw_only=True)
class Limits:
    redis: Redis
    metrics: Metrics
    demo: bool = False
    stream_seconds: int = 900
    _buckets: dict[Kind, Throttled] = field(init=False)

    def __post_init__(self) -> None:
        kept = _Store(self.redis)
        self._buckets = {
            kind: Throttled(
                using=RateLimiterType.GCRA.value, quota=self._quota(kind), store=kept, key_prefix=f"limits:{kind}"
            )
            for kind in get_args(Kind)
        }
        self._open = self.redis.register_script(_OPEN)

    def _quota(self, kind: Kind) -> rate_limiter.Quota:
        quota, share = QUOTAS[kind], DEMO_SHARE if self.demo else 1
        return rate_limiter.per_duration(quota.rate.period, quota.rate.limit * share, burst=quota.burst * share)

    async def count(self, kind: Kind, whose: str) -> None:
        """One more of the kind. Raises `RateLimited` with the seconds to wait."""
        try:
            result = await self._buckets[kind].limit(whose)
        except (BaseThrottledError, RedisError):
            self._let_through(kind)
            return
        if result.limited:
            self.metrics.limited.labels(kind).inc()
            raise RateLimited(SAID.get(kind), retry_after=max(1, math.ceil(result.state.retry_after)))

    @asynccontextmanager
    async def stream(self, whose: str) -> AsyncIterator[None]:
        """A place among somebody's open streams, given back at the end; a server that dies gives it back in time."""
        key, name, now = f"limits:streams:{whose}", secrets.token_hex(8), time.time()
        until = now + self.stream_seconds + timedelta(minutes=1).total_seconds()
        try:
            there_is_room = bool(await self._open(keys=[key], args=[now, until, name, MOST_STREAMS * self._share]))
        except RedisError:
            self._let_through("streams")
            there_is_room = True
        if not there_is_room:
            self.metrics.limited.labels("streams").inc()
            raise RateLimited("Too many streams are open under this session. Close one of them first.", retry_after=5)
        try:
            yield
        finally:
            await self._close(key, name)

    @property
    def _share(self) -> int:
        return DEMO_SHARE if self.demo else 1

    async def _close(self, key: str, name: str) -> None:
        try:
            await self.redis.zrem(key, name)
        except RedisError:
            log.warning("limits.stream_not_closed")  # its place comes back by itself

    def _let_through(self, kind: str) -> None:
        self.metrics.unlimited.labels(kind).inc()
        log.warning("limits.let_through", kind=kind)
