"""Checkpoints in Redis hold no words, open with their key alone, and are sealed anew beside a running server."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from redis.asyncio import Redis
from typing_extensions import TypedDict

from graphs.redis_saver import RedisSaver
from graphs.sealed_checkpoints import reseal_checkpoints, sealing_serde
from tools.sealing.keyring import CannotOpen, Keyring, new_key

WORDS = "I was charged twice, says Ada"
OLD, NEW = new_key("2025"), new_key("2026")
BEFORE, BOTH, AFTER = (Keyring.parse(text) for text in (OLD, f"{NEW},{OLD}", NEW))
CONFIG: Any = {"configurable": {"thread_id": "t1"}, "metadata": {"who": WORDS}}


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


async def answer(_: State) -> dict[str, Any]:
    return {"messages": [("ai", WORDS)]}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


def graph(redis: Redis, keys: Keyring | None) -> Any:
    saver = RedisSaver(redis, serde=sealing_serde(keys) if keys else None)
    builder: Any = StateGraph(State)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver, interrupt_after=["answer"])


async def said(redis: Redis, keys: Keyring) -> list[str]:
    state = await graph(redis, keys).aget_state(CONFIG)
    return [message.content for message in state.values["messages"]]


async def stored(redis: Any) -> bytes:
    hashes = [await redis.hgetall(key) async for key in redis.scan_iter(_type="hash")]
    return b"".join(name + value for found in hashes for name, value in found.items())


async def test_no_word_of_state_or_metadata_stands_in_redis(redis: Redis) -> None:
    await graph(redis, AFTER).ainvoke({"messages": [("human", WORDS)]}, CONFIG)

    assert WORDS.encode() not in await stored(redis)
    assert [WORDS, WORDS] == await said(redis, AFTER)


async def test_without_its_key_a_checkpoint_is_an_error_and_not_an_empty_conversation(redis: Redis) -> None:
    await graph(redis, BEFORE).ainvoke({"messages": [("human", WORDS)]}, CONFIG)

    with pytest.raises(CannotOpen, match="2025"):
        await said(redis, AFTER)


@pytest.mark.parametrize("earlier", [BEFORE, None], ids=["older key", "plain"])
async def test_sealed_anew_it_needs_only_the_newest_key(redis: Redis, earlier: Keyring | None) -> None:
    await graph(redis, earlier).ainvoke({"messages": [("human", WORDS)]}, CONFIG)
    assert [WORDS, WORDS] == await said(redis, BOTH)

    assert 0 < sum([done async for done in reseal_checkpoints(redis, BOTH)])

    assert [WORDS, WORDS] == await said(redis, AFTER)
    assert WORDS.encode() not in await stored(redis)
    assert 0 == sum([done async for done in reseal_checkpoints(redis, BOTH)])
    after = await graph(redis, AFTER).ainvoke({"messages": [("human", "more")]}, CONFIG)
    assert [WORDS, WORDS, "more", WORDS] == [message.content for message in after["messages"]]
