"""What the conformance suite does not ask: order, sharing, expiry, forks, fencing and loss."""

import asyncio
import copy
import operator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph._internal import _serde
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send, interrupt
from redis.asyncio import Redis
from typing_extensions import TypedDict

from graphs.redis_saver import FENCE, LostData, RedisSaver, StaleWriter
from tests.graphs.savers import Graph, extend, on


class Counted(TypedDict):
    log: Annotated[list[str], operator.add]
    document: str


def say(word: str) -> Any:
    async def node(state: Counted) -> Any:
        return {"log": [word]}

    return node


def two_steps(saver: BaseCheckpointSaver[str]) -> Graph:
    builder = StateGraph(Counted)
    builder.add_node("first", say("first"))
    builder.add_node("second", say("second"))
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    builder.add_edge("second", END)
    return builder.compile(checkpointer=saver)


class Gathered(TypedDict):
    numbers: Annotated[list[int], DeltaChannel(extend, list, snapshot_frequency=1000)]


class Numbered(TypedDict):
    number: int


def fan_out(saver: BaseCheckpointSaver[str]) -> Graph:
    async def answer(state: Numbered) -> Any:
        # the last one sent answers first
        await asyncio.sleep(0.01 * (5 - state["number"]))
        return {"numbers": [state["number"]]}

    def five(state: Gathered) -> list[Send]:
        return [Send("answer", {"number": number}) for number in range(5)]

    builder = StateGraph(Gathered)
    builder.add_node("answer", answer, input_schema=Numbered)
    builder.add_conditional_edges(START, five, ["answer"])
    return builder.compile(checkpointer=saver)


async def test_writes_of_parallel_sends_come_back_in_the_order_of_the_run(saver: RedisSaver) -> None:
    graph = fan_out(saver)
    await graph.ainvoke({"numbers": [-1]}, on("t"))

    state = await graph.aget_state(on("t"))

    assert state.values["numbers"] == [-1, 0, 1, 2, 3, 4]


async def test_pruning_keeps_what_a_delta_channel_is_rebuilt_from(saver: RedisSaver) -> None:
    graph = fan_out(saver)
    await graph.ainvoke({"numbers": [-1]}, on("t"))
    await graph.ainvoke({"numbers": [-2]}, on("t"))

    await saver.aprune(["t"])

    state = await graph.aget_state(on("t"))
    assert state.values["numbers"] == [-1, 0, 1, 2, 3, 4, -2, 0, 1, 2, 3, 4]


async def test_pruning_drops_every_value_that_nothing_links_to(saver: RedisSaver, redis: Redis) -> None:
    graph = two_steps(saver)
    for _ in range(3):
        await graph.ainvoke({"log": ["hello"]}, on("t"))
    before = await graph.aget_state(on("t"))
    blobs_before = await redis.hlen("checkpoint:{t}:blobs")

    await saver.aprune(["t"])

    assert before.values == (await graph.aget_state(on("t"))).values
    assert await redis.zcard("checkpoint:{t}:index") == 1
    assert blobs_before > await redis.hlen("checkpoint:{t}:blobs")


async def test_a_value_that_does_not_change_is_stored_once(saver: RedisSaver, redis: Redis) -> None:
    document = "x" * 10_000
    await two_steps(saver).ainvoke({"log": [], "document": document}, on("t"))

    stored = [await redis.hgetall(f"checkpoint:{{t}}:{kind}") for kind in ("checkpoints", "blobs")]

    copies = sum(document.encode() in value for fields in stored for value in fields.values())
    assert copies == 2  # the graph's input, and the channel that four checkpoints share
    assert len([tuple_ async for tuple_ in saver.alist(on("t"))]) == 4


async def test_two_forks_of_one_checkpoint_keep_their_own_values(saver: RedisSaver) -> None:
    graph = two_steps(saver)
    await graph.ainvoke({"log": ["hello"]}, on("t"))
    history = [state async for state in graph.aget_state_history(on("t"))]
    base = next(state.config for state in history if state.next == ("second",))

    left = await graph.aupdate_state(base, {"document": "left"})
    right = await graph.aupdate_state(base, {"document": "right"})

    assert (await graph.aget_state(left)).values["document"] == "left"
    assert (await graph.aget_state(right)).values["document"] == "right"


async def test_of_ordinary_writes_the_first_stays_and_of_special_ones_the_last(saver: RedisSaver) -> None:
    await two_steps(saver).ainvoke({"log": []}, on("t"))
    config = (await two_steps(saver).aget_state(on("t"))).config

    for value in ("first", "last"):
        await saver.aput_writes(config, [("log", value), ("__resume__", value)], "task", "path")

    found = await saver.aget_tuple(config)
    assert found is not None
    assert found.pending_writes == [("task", "__resume__", "last"), ("task", "log", "first")]


async def test_listing_without_a_thread_finds_all_threads_newest_first(saver: RedisSaver) -> None:
    for thread in ("b", "a", "c"):
        await two_steps(saver).ainvoke({"log": []}, on(thread))

    found = [(item.config["configurable"]["thread_id"], item.metadata["step"]) async for item in saver.alist(None)]

    expected = [(thread, step) for thread in ("c", "a", "b") for step in (2, 1, 0, -1)]
    assert expected == found
    assert len([item async for item in saver.alist(None, limit=5)]) == 5
    assert len([item async for item in saver.alist(None, filter={"step": 2})]) == 3


async def test_every_key_of_a_thread_expires_together(redis: Redis) -> None:
    saver = RedisSaver(redis, ttl=600)
    await two_steps(saver).ainvoke({"log": []}, on("t"))
    for key in await redis.keys("*"):
        await redis.expire(key, 10)

    await saver.aput_writes((await two_steps(saver).aget_state(on("t"))).config, [("log", ["late"])], "task")

    assert [await redis.ttl(key) for key in await redis.keys("*")] == [600] * 5


async def test_deleting_a_thread_leaves_no_key_and_no_other_thread_behind(saver: RedisSaver, redis: Redis) -> None:
    for thread in ("t", "t*", "other"):
        await two_steps(saver).ainvoke({"log": []}, on(thread, **{FENCE: 1}))

    await saver.adelete_thread("t*")

    assert await saver.aget_tuple(on("t*")) is None
    assert await saver.aget_tuple(on("t")) is not None
    await saver.adelete_thread("t")
    await saver.adelete_thread("other")
    assert await redis.keys("*") == []


@pytest.mark.parametrize("thread", ["}", "{x}", "a/b", "%7B", "żółw 🐢", "a}:index"])
async def test_any_text_is_a_thread_id(saver: RedisSaver, thread: str) -> None:
    graph = two_steps(saver)
    await graph.ainvoke({"log": ["hello"]}, on(thread))

    assert (await graph.aget_state(on(thread))).values["log"] == ["hello", "first", "second"]
    assert {thread} == {item.config["configurable"]["thread_id"] async for item in saver.alist(None)}


async def test_a_checkpoint_id_that_looks_like_a_range_finds_nothing(saver: RedisSaver) -> None:
    await two_steps(saver).ainvoke({"log": []}, on("t"))

    assert await saver.aget_tuple(on("t", checkpoint_id="/")) is None
    assert await saver.aget_tuple(on("t", checkpoint_id="x/")) is None


async def test_a_writer_with_an_older_token_writes_nothing(saver: RedisSaver) -> None:
    graph = two_steps(saver)
    await graph.ainvoke({"log": ["successor"]}, on("t", **{FENCE: 8}))
    before = await graph.aget_state(on("t"))

    with pytest.raises(StaleWriter):
        await graph.ainvoke({"log": ["zombie"]}, on("t", **{FENCE: 7}))
    with pytest.raises(StaleWriter):
        await saver.aput_writes(on("t", checkpoint_id="x", **{FENCE: 7}), [("log", "zombie")], "task")

    assert before == await graph.aget_state(on("t"))
    await graph.ainvoke({"log": ["same lease"]}, on("t", **{FENCE: 8}))


@pytest.mark.parametrize("kind", ["index", "blobs"])
async def test_a_thread_of_which_redis_lost_a_part_is_reported(saver: RedisSaver, redis: Redis, kind: str) -> None:
    await two_steps(saver).ainvoke({"log": ["hello"]}, on("t"))
    await redis.delete(f"checkpoint:{{t}}:{kind}")

    with pytest.raises(LostData):
        await saver.aget_tuple(on("t"))


class Reversed:
    """A cipher for tests: not secret, but nothing is left in clear."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "reversed", plaintext[::-1]

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        assert ciphername == "reversed"
        return ciphertext[::-1]


async def test_with_an_encrypting_serializer_neither_state_nor_metadata_is_in_clear(redis: Redis) -> None:
    saver = RedisSaver(redis, serde=EncryptedSerializer(Reversed()))
    config: RunnableConfig = {**on("t"), "metadata": {"note": "confidential"}}
    await two_steps(saver).ainvoke({"log": ["confidential"]}, config)

    dump = b"".join([await redis.dump(key) or b"" for key in await redis.keys("*")])

    assert b"laitnedifnoc" in dump
    assert b"confidential" not in dump
    found = await saver.aget_tuple(on("t"))
    assert found is not None
    assert found.metadata["note"] == "confidential"  # type: ignore[typeddict-item]


@dataclass
class Ticket:
    number: int


class Held(TypedDict):
    ticket: Ticket


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> JsonPlusSerializer:
    monkeypatch.setattr(_msgpack, "STRICT_MSGPACK_ENABLED", True)
    monkeypatch.setattr(_serde, "STRICT_MSGPACK_ENABLED", True)
    return JsonPlusSerializer()


async def test_in_strict_mode_the_types_of_the_graph_survive(redis: Redis, strict: JsonPlusSerializer) -> None:
    """compile() makes a shallow copy of the saver whose serializer allows the graph's own types."""
    saver = RedisSaver(redis, serde=strict)

    async def issue(state: Held) -> Any:
        return {"ticket": Ticket(7)}

    async def hold(state: Held) -> Any:
        interrupt("waiting")
        return {}

    builder = StateGraph(Held)
    builder.add_node("issue", issue)
    builder.add_node("hold", hold)
    builder.add_edge(START, "issue")
    builder.add_edge("issue", "hold")
    graph: Graph = builder.compile(checkpointer=saver)
    await graph.ainvoke({}, on("t"))

    assert Ticket(7) == (await graph.aget_state(on("t"))).values["ticket"]
    outside = await saver.aget_tuple(on("t"))
    assert outside is not None
    assert Ticket(7) != outside.checkpoint["channel_values"]["ticket"]


async def test_a_shallow_copy_reads_with_its_own_serializer(saver: RedisSaver) -> None:
    await two_steps(saver).ainvoke({"log": ["hello"]}, on("t"))

    class Loud(JsonPlusSerializer):
        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            value = super().loads_typed(data)
            return [word.upper() for word in value] if isinstance(value, list) else value

    clone = copy.copy(saver)
    clone.serde = Loud()

    loud, plain = await clone.aget_tuple(on("t")), await saver.aget_tuple(on("t"))
    assert loud is not None
    assert plain is not None
    assert loud.checkpoint["channel_values"]["log"] == ["HELLO", "FIRST", "SECOND"]
    assert plain.checkpoint["channel_values"]["log"] == ["hello", "first", "second"]


async def test_a_client_that_decodes_replies_is_refused(redis_url: str) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        with pytest.raises(ValueError, match="decode_responses=False"):
            RedisSaver(redis)


async def test_an_unknown_pruning_strategy_deletes_nothing(saver: RedisSaver) -> None:
    await two_steps(saver).ainvoke({"log": []}, on("t"))

    with pytest.raises(ValueError, match="keep_latest"):
        await saver.aprune(["t"], strategy="everything")

    assert len([item async for item in saver.alist(on("t"))]) == 4
