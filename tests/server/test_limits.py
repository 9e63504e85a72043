"""Whoever asks too often is told when to come again; nobody else is kept waiting for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from throttled.asyncio import rate_limiter

from server import limits
from server.limits import QUOTAS, Kind, Limits
from server.metrics import Metrics
from tests.fixtures.redis import free_port
from tests.server.conftest import Live, serving, settings_for
from tools.errors import ConfigurationError, RateLimited
from tools.ledger.ledger import Ledger


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


def small(monkeypatch: pytest.MonkeyPatch, kind: Kind, burst: int = 3) -> None:
    """So few of the kind that a test can meet the limit, with the next one an hour away."""
    monkeypatch.setattr(limits, "DEMO_SHARE", 1)
    monkeypatch.setitem(QUOTAS, kind, rate_limiter.per_hour(1, burst=burst))


Serve = Callable[..., AbstractAsyncContextManager[Live]]


@pytest.fixture
def serve(redis_url: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """A server with three of the kind, and no more in this hour."""

    def started(kind: Kind) -> AbstractAsyncContextManager[Live]:
        small(monkeypatch, kind)
        return serving(settings_for(tmp_path, redis_url, stripe_webhook_secret="whsec_0123456789abcdef"), ledger)

    return started


class TestBuckets:
    async def test_a_burst_is_let_through_and_the_next_is_told_when_to_come_again(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small(monkeypatch, "talking")
        counted = Limits(redis=redis, metrics=Metrics())
        for _ in range(3):
            await counted.count("talking", "ada")

        with pytest.raises(RateLimited, match="faster than anybody can answer") as refused:
            await counted.count("talking", "ada")

        assert 3000 < refused.value.retry_after <= 3600
        await counted.count("talking", "alan")
        await counted.count("reading", "ada")

    async def test_many_at_once_get_no_more_than_there_are(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        small(monkeypatch, "reading", burst=10)
        servers = [Limits(redis=redis, metrics=Metrics()) for _ in range(2)]

        answers = await asyncio.gather(
            *(servers[n % 2].count("reading", "ada") for n in range(50)), return_exceptions=True
        )

        assert 10 == answers.count(None)
        assert 40 == sum(isinstance(answer, RateLimited) for answer in answers)

    async def test_nothing_is_kept_for_ever(self, redis: Redis) -> None:
        counted = Limits(redis=redis, metrics=Metrics())
        for kind in QUOTAS:
            await counted.count(kind, "ada")
        async with counted.stream("ada"):
            keys = [key async for key in redis.scan_iter("limits:*")]
            assert len(QUOTAS) + 1 == len(keys)
            assert [] == [key for key in keys if await redis.ttl(key) < 0]

    async def test_without_redis_it_lets_through_and_counts_that(self) -> None:
        metrics = Metrics()
        async with Redis.from_url(f"redis://127.0.0.1:{free_port()}", retry=None) as away:
            counted = Limits(redis=away, metrics=metrics)
            await counted.count("talking", "ada")
            async with counted.stream("ada"):
                pass

        said = metrics.render().decode()
        assert 'counterfoil_limits_skipped_total{limit="talking"} 1.0' in said
        assert 'counterfoil_limits_skipped_total{limit="streams"} 1.0' in said


class TestStreams:
    async def test_a_place_comes_back_when_the_stream_ends(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MOST_STREAMS", 1)
        counted = Limits(redis=redis, metrics=Metrics())
        async with counted.stream("ada"), counted.stream("alan"):
            with pytest.raises(RateLimited, match="Too many streams"):
                async with counted.stream("ada"):
                    pass
        async with counted.stream("ada"):
            pass

    async def test_a_server_that_died_gives_its_places_back_in_time(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MOST_STREAMS", 1)
        died = Limits(redis=redis, metrics=Metrics(), stream_seconds=-61)
        await died.stream("ada").__aenter__()

        async with Limits(redis=redis, metrics=Metrics()).stream("ada"):
            pass

    async def test_over_http_a_place_is_held_while_it_is_open(
        self, live: Live, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MOST_STREAMS", 1)
        monkeypatch.setattr(limits, "DEMO_SHARE", 1)
        async with live.http(token) as client:
            thread = (await client.post("/threads", json={})).json()["thread_id"]
            async with client.stream("GET", f"/threads/{thread}/stream") as first:
                assert 200 == first.status_code
                second = await client.get(f"/threads/{thread}/stream")
                assert (429, "rate_limited") == (second.status_code, second.json()["code"])
            said = {"message": "hi", "thread_id": thread}
            for _ in range(200):  # the server has yet to notice that the first one is gone
                if (answer := await client.post("/chat", json=said)).status_code == 200:
                    break
                await asyncio.sleep(0.05)
            assert 200 == answer.status_code


class TestOverHttp:
    async def refused(self, answer: httpx.Response) -> None:
        assert (429, "rate_limited") == (answer.status_code, answer.json()["code"])
        assert int(answer.headers["Retry-After"]) > 0

    async def test_who_writes_too_fast_waits_and_nobody_else_does(self, serve: Serve) -> None:
        async with serve("talking") as live:
            ada, alan = await live.customer(), await live.customer()
            async with live.http(ada) as client, live.http(alan) as other:
                thread = (await client.post("/threads", json={})).json()["thread_id"]
                said = {"message": "hi", "thread_id": thread}
                for _ in range(3):
                    assert 200 == (await client.post("/chat", json=said)).status_code
                await self.refused(await client.post("/chat", json=said))
                assert 200 == (await client.get(f"/threads/{thread}/messages")).status_code
                assert 200 == (await other.post("/chat", json={"message": "hi"})).status_code
                assert 6 == len((await client.get(f"/threads/{thread}/messages")).json()), "the fourth was not kept"
            assert 'counterfoil_limited_total{limit="talking"} 1.0' in await live.metrics()

    @pytest.mark.parametrize(
        ("kind", "method", "path", "token"),
        [
            ("sessions", "POST", "/sessions", None),
            ("refused", "GET", "/threads/x", "nonsense"),
            ("refused", "GET", "/desk/tickets", None),
            ("unsigned", "POST", "/webhooks/stripe", None),
        ],
    )
    async def test_a_network_without_a_token_has_limits_of_its_own(
        self, serve: Serve, kind: Kind, method: str, path: str, token: str | None
    ) -> None:
        async with serve(kind) as live, live.http(token) as client:
            before = [(await client.request(method, path, json={})).status_code for _ in range(3)]
            assert 429 not in before
            await self.refused(await client.request(method, path, json={}))

    async def test_so_many_conversations_in_a_day(self, serve: Serve) -> None:
        async with serve("threads") as live, live.http(await live.customer()) as client:
            for _ in range(3):
                assert 200 == (await client.post("/threads", json={})).status_code
            await self.refused(await client.post("/threads", json={}))
            await self.refused(await client.post("/chat", json={"message": "hi"}))

    async def test_a_name_in_the_path_is_no_bucket_of_its_own(self, serve: Serve) -> None:
        async with serve("reading") as live, live.http(await live.customer()) as client:
            for number in range(3):
                assert 404 == (await client.get(f"/receipts/CF-2026-{number:06d}")).status_code
            await self.refused(await client.get("/receipts/CF-2026-000009"))


ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


class TestOtherSites:
    async def test_a_page_of_a_site_that_is_named_may_call(
        self, redis_url: str, ledger: Ledger, tmp_path: Path
    ) -> None:
        settings = settings_for(tmp_path, redis_url, cors_origins="https://shop.example.com, https://b.example.com")
        async with serving(settings, ledger) as live, live.http() as client:
            origin = {"Origin": "https://shop.example.com"}
            asked = await client.options("/chat", headers=origin | ASKED)
            assert ("https://shop.example.com", 200) == (
                asked.headers["Access-Control-Allow-Origin"],
                asked.status_code,
            )
            assert "Access-Control-Allow-Credentials" not in asked.headers
            said = await client.post("/sessions", json={}, headers=origin)
            assert "Retry-After" in said.headers["Access-Control-Expose-Headers"]
            stranger = await client.options("/chat", headers={"Origin": "https://evil.example.com"} | ASKED)
            assert "Access-Control-Allow-Origin" not in stranger.headers

    async def test_with_none_named_no_page_of_another_site_may(self, live: Live) -> None:
        async with live.http() as client:
            asked = await client.options("/chat", headers={"Origin": "https://shop.example.com"} | ASKED)
        assert "Access-Control-Allow-Origin" not in asked.headers

    @pytest.mark.parametrize("origins", ["*", "https://*.example.com", "shop.example.com", "http://shop.example.com"])
    def test_what_is_no_exact_origin_does_not_start(self, origins: str, monkeypatch: pytest.MonkeyPatch) -> None:
        from graphs.settings import Settings  # noqa: PLC0415 - read with the variable set

        monkeypatch.setenv("CORS_ORIGINS", origins)
        with pytest.raises(ConfigurationError, match="exact origins"):
            Settings.read()
