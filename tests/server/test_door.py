"""A card that comes in pieces is known at the door, and no digit of it is kept to know it by."""

import asyncio

import httpx
import redis.asyncio

from graphs.settings import Settings
from server.tails import SECONDS_KEPT, Tails
from tests.server.conftest import Live
from tests.server.sse import all_of
from tools.safety.pieces import Piece


async def said(client: httpx.AsyncClient, thread: str, text: str) -> None:
    await all_of(client, "POST", "/chat", json={"message": text, "thread_id": thread})


async def lines(client: httpx.AsyncClient, thread: str) -> list[str]:
    kept = (await client.get(f"/threads/{thread}/messages")).json()
    return [line["text"] for line in kept if line["role"] == "customer"]


async def test_both_halves_of_a_card_are_masked(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    await said(client, thread, "5384 7291")
    [tail] = await live.services.plugs.redis.lrange(f"tail:{{{thread}}}", 0, -1)
    assert b"8:" == tail[:2]
    assert b"5384" not in tail
    await said(client, thread, "6037 1281")
    assert ["[card digits]", "[card digits]"] == await lines(client, thread)
    runs = await live.services.ledger.runs(thread)
    assert [["card"], ["card"]] == [run.payload["masked"] for run in runs]


async def test_what_was_completed_is_forgotten(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    await said(client, thread, "5384 7291")
    await said(client, thread, "6037 1281")
    await said(client, thread, "4242")
    assert "4242" == (await lines(client, thread))[-1]


async def test_another_thread_knows_nothing_of_it(client: httpx.AsyncClient, thread: str) -> None:
    other = (await client.post("/threads", json={})).json()["thread_id"]
    await said(client, thread, "my card is 5384 7291 6037")
    await said(client, other, "1281")
    assert ["1281"] == await lines(client, other)


async def test_the_rest_of_a_card_is_no_reason_for_a_person(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    await said(client, thread, "5384 7291")
    body = {"thread_id": thread, "reason": "it goes on 6037 1281"}
    await client.post("/escalate", json=body)
    [handover] = [run for run in await live.services.ledger.runs(thread) if run.payload["type"] == "handover"]
    assert "it goes on [card digits]" == handover.payload["reason"]


async def test_of_two_messages_at_once_one_sees_the_other(settings: Settings) -> None:
    halves = Piece.of("53847291"), Piece.of("60371281")
    async with redis.asyncio.Redis.from_url(settings.redis_url or "") as client:
        tails = Tails(client)
        before = await asyncio.gather(*(tails.before("t", [half]) for half in halves))
        assert [0, 1] == sorted(len(one) for one in before)
        assert 0 < await client.ttl("tail:{t}") <= SECONDS_KEPT
