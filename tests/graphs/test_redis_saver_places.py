"""Where the saver works: from other threads, in a cluster, behind Sentinel, compressed and encrypted."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import pytest
import redis as blocking
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from redis.asyncio import Redis
from redis.asyncio.sentinel import Sentinel
from typing_extensions import TypedDict

from graphs.redis_saver import CompressingSerializer, RedisSaver
from graphs.sealed_checkpoints import KeyringCipher
from tests.fixtures.keys import KEYS
from tests.fixtures.redis import free_port, running_server, wait_until_answering
from tests.graphs.savers import Graph, extend, on

SERVER = shutil.which("redis-server")
NEEDS_SERVER = pytest.mark.skipif(SERVER is None, reason="the bundled Redis has neither: install another")
NODES = 3
SLOTS = 16384
SERDES = {
    "compressed": CompressingSerializer(above=20),
    "compressed and encrypted": EncryptedSerializer(KeyringCipher(KEYS), CompressingSerializer(above=20)),
}


class Talk(TypedDict):
    said: Annotated[list[str], DeltaChannel(extend, list, snapshot_frequency=5)]
    document: str


def talk(saver: RedisSaver) -> Graph:
    async def answer(state: Talk) -> Any:
        return {"said": [f"re {state['said'][-1]}"]}

    builder = StateGraph(Talk)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


async def everything_works(saver: RedisSaver) -> None:
    """Every method, on several threads."""
    graph = talk(saver)
    for thread in ("a", "b", "c", "d"):
        for word in ("one", "two", "three"):
            await graph.ainvoke({"said": [word], "document": thread * 5}, {**on(thread), "metadata": {"run_id": word}})
    said = ["one", "re one", "two", "re two", "three", "re three"]
    assert (await graph.aget_state(on("a"))).values == {"said": said, "document": "aaaaa"}
    assert {"a", "b", "c", "d"} == {one.config["configurable"]["thread_id"] async for one in saver.alist(None)}
    await saver.acopy_thread("a", "another")
    await saver.aprune(["a"])
    await saver.adelete_for_runs(["three"])
    await saver.adelete_thread("b")
    assert (await graph.aget_state(on("another"))).values["said"] == said[:4]
    assert (await graph.aget_state(on("c"))).values["said"] == said[:4]
    assert await saver.aget_tuple(on("b")) is None


class TestFromAThread:
    async def test_a_graph_that_is_invoked_there_keeps_its_state(self, redis_url: str) -> None:
        async with RedisSaver.from_url(redis_url) as saver:
            builder = StateGraph(Talk)
            builder.add_node("answer", lambda state: {"said": [f"re {state['said'][-1]}"]})
            builder.add_edge(START, "answer")
            graph = builder.compile(checkpointer=saver)

            def turns() -> tuple[Any, list[Any], int]:
                for word in ("one", "two"):
                    cast("Any", graph).invoke({"said": [word]}, on("t"))
                saver.copy_thread("t", "copy")
                saver.prune(["t"])
                kept = len(list(saver.list(on("t"))))
                saver.delete_for_runs(["no such run"])
                saver.delete_thread("copy")
                return graph.get_state(on("t")).values, list(saver.list(on("copy"))), kept

            values, copied, kept = await asyncio.to_thread(turns)

        assert values == {"said": ["one", "re one", "two", "re two"]}
        assert copied == []
        assert kept > 1

    async def test_on_the_loop_itself_it_says_what_to_await(self, redis_url: str) -> None:
        async with RedisSaver.from_url(redis_url) as saver:
            with pytest.raises(RuntimeError, match=r"await aget_tuple\(\)"):
                saver.get_tuple(on("t"))
            with pytest.raises(RuntimeError, match=r"await alist\(\)"):
                next(saver.list(on("t")))

    def test_without_a_loop_too(self) -> None:
        with pytest.raises(RuntimeError, match=r"await adelete_thread\(\)"):
            RedisSaver(Redis()).delete_thread("t")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three primaries that share the slots; yields the URL of one."""
    with ExitStack() as stack:
        clients = []
        for number in range(NODES):
            folder = tmp_path_factory.mktemp(f"node{number}")
            port = cluster_port()
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            url = stack.enter_context(running_server(str(SERVER), folder, *options, port=port))
            clients.append(stack.enter_context(blocking.Redis.from_url(url)))
        for number, client in enumerate(clients):
            first, last = number * SLOTS // NODES, (number + 1) * SLOTS // NODES - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", port_of(clients[0]))
        until(lambda: all(knows_everything(client) for client in clients))
        yield f"redis://127.0.0.1:{port_of(clients[0])}"


def port_of(client: "blocking.Redis") -> int:
    return int(client.connection_pool.connection_kwargs["port"])


def knows_everything(client: "blocking.Redis") -> bool:
    told: dict[str, str] = cast("Any", client).execute_command("CLUSTER INFO")
    return (told["cluster_state"], told["cluster_known_nodes"]) == ("ok", str(NODES))


def cluster_port() -> int:
    """A free one whose bus, ten thousand above, is free too."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if port + 10_000 < 65_536 and probe.connect_ex(("127.0.0.1", port + 10_000)) != 0:
                return port


def until(holds: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@NEEDS_SERVER
class TestInACluster:
    async def test_every_script_stays_in_the_slot_of_its_thread(self, cluster: str) -> None:
        async with RedisSaver.from_url(cluster, cluster=True, ttl=60, keep_last=20) as saver:
            await everything_works(saver)
            keys = [key async for key in saver.redis.scan_iter()]
            used = {saver.redis.keyslot(key) * NODES // SLOTS for key in keys}  # type: ignore[union-attr]
        assert len(used) > 1


@pytest.fixture
def sentinel(redis_url: str, tmp_path: Path) -> Iterator[int]:
    """Port of a Sentinel that watches the session's Redis by the name of `main`."""
    port, watched = free_port(), urlsplit(redis_url).port
    settings = tmp_path / "sentinel.conf"
    settings.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {watched} 1\n")
    process = subprocess.Popen([str(SERVER), str(settings), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        wait_until_answering(f"redis://127.0.0.1:{port}")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@NEEDS_SERVER
async def test_behind_sentinel(sentinel: int) -> None:
    watching = cast("Any", Sentinel)([("127.0.0.1", sentinel)])
    async with watching.sentinels[0], watching.master_for("main") as redis:
        await everything_works(RedisSaver(redis))


class TestCompressed:
    @pytest.mark.parametrize("kind", ["compressed", "compressed and encrypted"])
    async def test_everything_works(self, redis: Redis, kind: str) -> None:
        await everything_works(RedisSaver(redis, serde=SERDES[kind]))

    async def test_what_is_large_takes_less_room_and_what_is_small_is_left(self, redis: Redis) -> None:
        for thread, serde in (("plain", JsonPlusSerializer()), ("small", CompressingSerializer(above=1000))):
            await talk(RedisSaver(redis, serde=serde)).ainvoke({"said": ["x"], "document": "word " * 2000}, on(thread))
        sizes = {thread: await redis.memory_usage(f"checkpoint:{{{thread}}}:blobs") for thread in ("plain", "small")}
        assert int(sizes["small"] or 0) < int(sizes["plain"] or 0) / 10
        values = [bytes(cast("bytes", value)) for value in await redis.hvals("checkpoint:{small}:blobs")]
        assert {b'["null"]', b'["msgpack.zstd"]'} == {value.split(b"\0")[0] for value in values}

    async def test_what_was_stored_without_it_is_read(self, redis: Redis) -> None:
        said = {"said": ["x"], "document": "word " * 2000}
        await talk(RedisSaver(redis)).ainvoke(said, on("t"))
        found = await talk(RedisSaver(redis, serde=CompressingSerializer())).aget_state(on("t"))
        assert found.values == {**said, "said": ["x", "re x"]}

    def test_an_allow_list_is_kept(self) -> None:
        serde = CompressingSerializer(above=7, allowed_msgpack_modules=[("module", "Name")])
        extended = RedisSaver(Redis(), serde=serde).with_allowlist([("other", "Name")]).serde
        assert isinstance(extended, CompressingSerializer)
        assert extended.above == 7
        assert ("other", "Name") in (extended._allowed_msgpack_modules or ())  # type: ignore[operator]
