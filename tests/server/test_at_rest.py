"""What a customer said and who they are stands nowhere in plain: not in Redis, not in the ledger's files."""

from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from tests.server.conftest import Live
from tests.server.whole import Person, signed_in

PHRASE = "purple wombat"
ADDRESS = "ada@example.com"


async def everything_in(redis: Any) -> bytes:
    """Every value of every key, whatever its type."""
    parts: list[bytes] = []
    async for key in redis.scan_iter(count=1000):
        parts.append(key)
        match await redis.type(key):
            case b"string":
                parts.append(await redis.get(key))
            case b"hash":
                parts += [part for pair in (await redis.hgetall(key)).items() for part in pair]
            case b"stream":
                parts += [value for _, fields in await redis.xrange(key) for value in fields.values()]
            case b"list":
                parts += await redis.lrange(key, 0, -1)
            case b"set":
                parts += await redis.smembers(key)
            case b"zset":
                parts += await redis.zrange(key, 0, -1)
            case b"none":  # its time was up since it was found
                continue
            case other:
                raise AssertionError(f"{key!r} is a {other!r}, which is not looked into")
    return b"\0".join(parts)


def written_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("ledger.db*")))


async def a_talk(server: Live) -> Person:
    """With a refund, a receipt, a ticket and a rating, each of which writes somewhere."""
    ada = await signed_in([server], ADDRESS)
    await ada.says(f"i was charged twice this month, {PHRASE}")
    assert "CF-" in (await ada.presses(await ada.card()))["text"]
    async with ada.at() as http:
        rated = await http.post("/feedback", json={"thread_id": ada.thread, "rating": 5, "comment": PHRASE})
        assert 201 == rated.status_code
        assert 202 == (await http.post("/escalate", json={"thread_id": ada.thread, "reason": PHRASE})).status_code
    await ada.says(f"are you there? {PHRASE}")
    await asks_for_a_code(server)
    assert any(PHRASE in line["text"] for line in await ada.lines())
    return ada


async def asks_for_a_code(server: Live) -> None:
    """And leaves it there, with all that Redis has to remember meanwhile."""
    token = await server.customer()
    async with server.http(token) as http:
        thread = (await http.post("/threads", json={})).json()["thread_id"]
    stranger = Person(token, thread, [server])
    await stranger.says(f"show me my invoices, {PHRASE}")
    assert "code" in await stranger.says(ADDRESS)
    assert "pending" == (await server.services.plugs.verifier.session(thread)).challenge


async def test_neither_words_nor_address_stand_anywhere_in_plain(server: Live, redis_url: str, tmp_path: Path) -> None:
    await a_talk(server)

    async with Redis.from_url(redis_url) as redis:
        in_redis = await everything_in(redis)
    on_disk = written_in(tmp_path)
    found = {
        (place, text)
        for place, kept in (("redis", in_redis), ("ledger", on_disk))
        for text in (PHRASE, ADDRESS, "charged twice")
        if text.encode() in kept
    }
    assert set() == found
    assert len(in_redis) > 20_000
    assert b"sealed:1:" in on_disk
