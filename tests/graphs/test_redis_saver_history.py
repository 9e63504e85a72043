"""Long conversations: channels that are rebuilt from what was written, and histories that end somewhere."""

import copy
from collections.abc import Callable
from typing import Annotated, Any, cast

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from redis.asyncio import Redis
from typing_extensions import TypedDict

from graphs.redis_saver import FENCE, LostData, RedisSaver, StaleWriter
from tests.graphs.savers import Graph, extend, on


class Talk(TypedDict):
    said: Annotated[list[str], DeltaChannel(extend, list, snapshot_frequency=7)]
    other: Annotated[list[str], DeltaChannel(extend, list, snapshot_frequency=1000)]
    turn: int


def talk(saver: BaseCheckpointSaver[Any]) -> Graph:
    async def answer(state: Talk) -> Any:
        heard = state["said"][-1]
        return {"said": [f"re {heard}"], "other": [heard] if heard.endswith("0") else [], "turn": state["turn"] + 1}

    builder = StateGraph(Talk)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


async def turns(graph: Graph, config: RunnableConfig, numbers: range) -> None:
    for number in numbers:
        await graph.ainvoke({"said": [f"line {number}"], "turn": number}, config)


def expected(turns: range) -> list[str]:
    return [text for number in turns for text in (f"line {number}", f"re line {number}")]


async def test_delta_channels_are_rebuilt_as_in_memory(saver: RedisSaver) -> None:
    ours, memory = talk(saver), talk(InMemorySaver())
    for graph in (ours, memory):
        await turns(graph, on("t"), range(25))

    mine = [snapshot.values async for snapshot in ours.aget_state_history(on("t"))]
    theirs = [snapshot.values async for snapshot in memory.aget_state_history(on("t"))]
    assert mine == theirs
    assert mine[0]["said"] == expected(range(25))
    assert mine[0]["other"] == ["line 0", "line 10", "line 20"]


async def test_what_was_written_since_a_value_comes_in_one_round_trip(saver: RedisSaver, sent: list[int]) -> None:
    await turns(talk(saver), on("t"), range(25))
    sent.clear()
    found = await saver.aget_delta_channel_history(config=on("t"), channels=["said", "other", "nothing"])
    trips = len(sent)
    plain = await BaseCheckpointSaver.aget_delta_channel_history(saver, config=on("t"), channels=["said", "other"])

    assert {name: found[name] for name in plain} == plain
    assert found["nothing"] == {"writes": []}
    assert trips == 1
    assert len(sent) > 30
    assert {} == await saver.aget_delta_channel_history(config=on("t"), channels=[])
    assert {"said": {"writes": []}} == await saver.aget_delta_channel_history(config=on("none"), channels=["said"])


async def test_a_fork_is_rebuilt_from_its_own_past(saver: RedisSaver) -> None:
    graph = talk(saver)
    await turns(graph, on("t"), range(6))
    past = [one async for one in graph.aget_state_history(on("t")) if one.values.get("said") == expected(range(3))]
    await graph.ainvoke({"said": ["line fork"], "turn": 3}, past[0].config)

    assert (await graph.aget_state(on("t"))).values["said"] == [*expected(range(3)), "line fork", "re line fork"]


@pytest.mark.parametrize("name", ["a/b", "ünï", "{x}"])
async def test_a_channel_may_have_any_name(saver: RedisSaver, name: str) -> None:
    channel = DeltaChannel(cast("Any", extend), list)
    named = cast("Any", TypedDict)("Named", {name: Annotated[list[str], channel]})
    builder = StateGraph(named)
    builder.add_node("node", lambda _state: {name: ["two"]})
    builder.add_edge(START, "node")
    graph = builder.compile(checkpointer=saver)
    await graph.ainvoke({name: ["one"]}, on("t"))
    await saver.aprune(["t"])

    assert (await graph.aget_state(on("t"))).values == {name: ["one", "two"]}


async def test_a_history_is_bounded_and_nothing_is_lost(redis: Redis) -> None:
    saver = RedisSaver(redis, keep_last=8)
    graph = talk(saver)
    kept = []
    for number in range(60):
        await turns(graph, on("t"), range(number, number + 1))
        kept.append(len([one async for one in saver.alist(on("t"))]))
        assert (await graph.aget_state(on("t"))).values["said"] == expected(range(number + 1))
    fields = {kind: await redis.hlen(f"checkpoint:{{t}}:{kind}") for kind in ("checkpoints", "blobs", "writes")}

    # `other` is snapshotted every thousand updates, so its past stays; see the next test for a bounded one.
    assert kept[-1] == 180
    assert fields["checkpoints"] == 3 * kept[-1]


class Short(TypedDict):
    said: Annotated[list[str], DeltaChannel(extend, list, snapshot_frequency=7)]
    document: str


def short(saver: BaseCheckpointSaver[Any]) -> Graph:
    async def answer(state: Short) -> Any:
        return {"said": [f"re {state['said'][-1]}"]}

    builder = StateGraph(Short)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


async def test_what_nothing_is_rebuilt_from_goes(redis: Redis) -> None:
    saver = RedisSaver(redis, keep_last=8)
    graph = short(saver)
    most: dict[str, list[int]] = {"index": [], "blobs": [], "writes": []}
    count: dict[str, Callable[[str], Any]] = {"index": redis.zcard, "blobs": redis.hlen, "writes": redis.hlen}
    for number in range(60):
        await graph.ainvoke({"said": [f"line {number}"], "document": f"{number}"}, on("t"))
        for kind, counted in count.items():
            most[kind].append(await counted(f"checkpoint:{{t}}:{kind}"))
        assert (await graph.aget_state(on("t"))).values["said"] == expected(range(number + 1))

    # ten, and back to the newest snapshot: every seventh of the two updates of a turn
    assert max(most["index"]) <= 10 + 14
    for kind in ("blobs", "writes"):
        assert max(most[kind][40:]) <= max(most[kind][20:40])
    assert (await redis.zcard("checkpoint:{t}:written")) == (await redis.hlen("checkpoint:{t}:writes"))


async def test_every_kept_checkpoint_can_be_read(redis: Redis) -> None:
    graph = short(RedisSaver(redis, keep_last=3))
    for number in range(20):
        await graph.ainvoke({"said": [f"line {number}"]}, on("t"))

    newest = [snapshot.values["said"] async for snapshot in graph.aget_state_history(on("t"), limit=3)]
    assert newest[0] == expected(range(20))
    assert newest[1] == expected(range(20))[:-1]


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_history_of_nothing_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        RedisSaver(Redis(), keep_last=wrong)


async def test_a_stale_writer_trims_nothing(redis: Redis) -> None:
    saver = RedisSaver(redis, keep_last=1)
    graph = short(RedisSaver(redis))
    await graph.ainvoke({"said": ["line 0"]}, on("t", **{FENCE: 2}))
    before = await redis.zcard("checkpoint:{t}:index")
    with pytest.raises(StaleWriter):
        await short(saver).ainvoke({"said": ["line 1"]}, on("t", **{FENCE: 1}))
    assert before == await redis.zcard("checkpoint:{t}:index")


async def test_a_value_that_others_are_rebuilt_from_is_missed(saver: RedisSaver, redis: Redis) -> None:
    graph = short(saver)
    for number in range(10):
        await graph.ainvoke({"said": [f"line {number}"]}, on("t"))
    for field in await redis.hkeys("checkpoint:{t}:blobs"):
        if b"/said/" in field:
            await redis.hdel("checkpoint:{t}:blobs", field)
    with pytest.raises(LostData, match="channel said"):
        await graph.aget_state(on("t"))


async def test_a_copy_of_the_saver_has_the_same_bound(redis: Redis) -> None:
    assert copy.copy(RedisSaver(redis, keep_last=5)).keep_last == 5
