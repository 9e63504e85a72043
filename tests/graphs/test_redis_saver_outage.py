"""Redis goes away and comes back: nothing is read as empty, nothing is lost, conversations go on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt
from redis.exceptions import ConnectionError as RedisConnectionError
from typing_extensions import TypedDict

from graphs.redis_saver import RedisSaver
from tests.fixtures.redis import bundled_binary, free_port, wait_until_answering

CONFIG: RunnableConfig = {"configurable": {"thread_id": "t"}}


class Server:
    """A Redis that keeps its data over a restart on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
        ]
        self.process = subprocess.Popen([bundled_binary(), *options], stdout=subprocess.DEVNULL)
        wait_until_answering(self.url)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


class Conversation(TypedDict):
    asked: str
    answer: str


def conversation(saver: RedisSaver, server: Server | None = None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Asks, waits for an answer; with a `server`, stops it in the middle of the first node."""

    async def ask(state: Conversation) -> Any:
        if server:
            server.stop()
        return {"asked": "which invoice?"}

    async def wait(state: Conversation) -> Any:
        return {"answer": interrupt(state["asked"])}

    builder = StateGraph(Conversation)
    builder.add_node("ask", ask)
    builder.add_node("wait", wait)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "wait")
    builder.add_edge("wait", END)
    return builder.compile(checkpointer=saver)


async def test_an_outage_is_an_error_and_never_an_empty_thread(server: Server) -> None:
    async with RedisSaver.from_url(server.url) as saver:
        await conversation(saver).ainvoke({}, CONFIG)
        server.stop()

        with pytest.raises(RedisConnectionError):
            await saver.aget_tuple(CONFIG)
        with pytest.raises(RedisConnectionError):
            await conversation(saver).ainvoke({}, CONFIG)
        with pytest.raises(RedisConnectionError):
            _ = [item async for item in saver.alist(CONFIG)]


async def test_an_outage_in_the_middle_of_a_run_raises(server: Server) -> None:
    async with RedisSaver.from_url(server.url) as saver:
        with pytest.raises(RedisConnectionError):
            await conversation(saver, server).ainvoke({}, CONFIG)


async def test_a_conversation_that_waits_goes_on_after_redis_was_restarted(server: Server) -> None:
    """The same client goes on: its connections and the scripts it had loaded are gone on the server."""
    async with RedisSaver.from_url(server.url) as saver:
        paused = await conversation(saver).ainvoke({}, CONFIG)
        server.stop()
        server.start()

        state = await conversation(saver).ainvoke(Command(resume="the last one"), CONFIG)

    assert paused["__interrupt__"][0].value == "which invoice?"
    assert state == {"asked": "which invoice?", "answer": "the last one"}


async def test_a_conversation_that_waits_goes_on_with_another_client(server: Server) -> None:
    async with RedisSaver.from_url(server.url) as saver:
        await conversation(saver).ainvoke({}, CONFIG)

    async with RedisSaver.from_url(server.url) as saver:
        state = await conversation(saver).ainvoke(Command(resume="the last one"), CONFIG)

    assert state == {"asked": "which invoice?", "answer": "the last one"}


async def test_scripts_that_the_server_forgot_are_sent_again(redis_url: str) -> None:
    async with RedisSaver.from_url(redis_url) as saver:
        await conversation(saver).ainvoke({}, CONFIG)
        with redis.Redis.from_url(redis_url) as client:
            client.script_flush()

        assert await saver.aget_tuple(CONFIG) is not None
