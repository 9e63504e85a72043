"""The conversation as a node of somebody else's graph, through the RemoteGraph that LangGraph has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph.types import Command
from langgraph_sdk.errors import ConflictError, NotFoundError, PermissionDeniedError

from tests.server.conftest import Live, new_id
from tests.server.test_protocol import contents, said
from tools.ledger.types import Ticket

Graph = CompiledStateGraph[Any, Any, Any, Any]
Json = dict[str, Any]


@pytest.fixture
async def remote(live: Live, token: str) -> AsyncIterator[RemoteGraph]:
    async with remote_graph(live, token) as opened:
        yield opened


@asynccontextmanager
async def remote_graph(live: Live, token: str) -> AsyncIterator[RemoteGraph]:
    """Its clients are its user's to close."""
    opened = RemoteGraph("support", url=live.url, headers={"Authorization": f"Bearer {token}"})
    yield opened
    await opened._validate_client().aclose()
    opened._validate_sync_client().close()


@pytest.fixture
def parent(remote: RemoteGraph) -> Graph:
    graph = StateGraph(MessagesState).add_node("billing", remote)
    return graph.add_edge(START, "billing").add_edge("billing", END).compile(checkpointer=InMemorySaver())


def config_of(thread: str, **more: Any) -> Any:
    return {"configurable": {"thread_id": thread}, **more}


def words(values: Any) -> list[str]:
    assert all(isinstance(message, BaseMessage) for message in values["messages"])
    return [message.text for message in values["messages"]]


async def the_ticket(live: Live, thread: str) -> Ticket:
    ticket = await live.services.ledger.ticket_of(thread)
    assert ticket is not None
    return ticket


async def test_it_is_invoked_by_itself_with_words_in_every_form(remote: RemoteGraph) -> None:
    for message in ({"role": "user", "content": "hi"}, ("user", "hi"), "hi"):
        values = await remote.ainvoke({"messages": [message]}, config_of(new_id()))
        assert ["hi", "You said: hi"] == contents(values)
    without: Any = await remote.ainvoke(said("no thread"))
    assert "You said: no thread" == contents(without)[-1]


async def test_a_graph_invokes_it_as_a_node_on_the_thread_of_the_same_name(
    live: Live, token: str, parent: Graph
) -> None:
    thread = new_id()
    values = await parent.ainvoke(said("hello"), config_of(thread, tags=["ours"], metadata={"tenant": 7}))
    assert ["hello", "You said: hello"] == words(values)
    again = await parent.ainvoke(said("once more"), config_of(thread))
    assert ["hello", "You said: hello", "once more", "You said: once more"] == words(again)
    theirs: Any = await live.sdk(token).threads.get_state(thread)
    assert words(again) == contents(theirs["values"])
    assert "tenant" not in str(await live.sdk(token).threads.get(thread)) + str(theirs)


async def test_a_graph_without_a_checkpointer_runs_it_without_a_thread(
    live: Live, token: str, remote: RemoteGraph
) -> None:
    graph: Graph = StateGraph(MessagesState).add_node("billing", remote).add_edge(START, "billing").compile()
    assert ["hi", "You said: hi"] == words(await graph.ainvoke(said("hi")))
    [thread] = await live.sdk(token).threads.search()
    assert True is (thread["metadata"] or {})["temporary"]


async def test_its_tokens_and_updates_reach_whoever_streams_the_graph(parent: Graph) -> None:
    modes: Any = ["messages", "updates", "custom"]
    stream: Any = parent.astream(said("a b c"), config_of(new_id()), stream_mode=modes, subgraphs=True)
    parts = [part async for part in stream]
    inner = [(mode, data) for namespace, mode, data in parts if namespace]
    tokens = [data[0]["content"] for mode, data in inner if mode == "messages" and data[0]["type"] == "AIMessageChunk"]
    assert "You said: a b c" == "".join(tokens)
    assert ["listen", "speak"] == [node for mode, data in inner if mode == "updates" for node in data]
    assert [{"type": "status", "text": "Reading your invoices"}] == [data for mode, data in inner if mode == "custom"]
    assert [["billing"]] == [list(data) for namespace, mode, data in parts if not namespace and mode == "updates"]


async def test_its_interrupt_is_the_graphs_and_the_graph_goes_on_when_a_person_is_done(
    live: Live, parent: Graph
) -> None:
    thread = new_id()
    stopped = await parent.ainvoke(said("person please"), config_of(thread))
    [waits] = stopped["__interrupt__"]
    assert waits.value is None
    assert ("billing",) == (await parent.aget_state(config_of(thread))).next

    with pytest.raises(ConflictError, match="received already"):
        await parent.ainvoke(Command(resume="only this"), config_of(thread))
    still = await parent.ainvoke(Command(resume=True, update=said("are you there?")), config_of(thread))
    assert still["__interrupt__"]

    ticket = await the_ticket(live, thread)
    async with live.http(await live.agent()) as desk:
        await desk.post(f"/desk/tickets/{ticket.id}/claim")
        returned = await desk.post(f"/desk/tickets/{ticket.id}/return", json={"note": "all done"})
        assert 202 == returned.status_code
    done = await parent.ainvoke(Command(resume=True, update=said("thank you")), config_of(thread))

    assert "__interrupt__" not in done
    assert "You said: thank you" == words(done)[-1]
    assert {"person please", "are you there?", "Ana says: all done"} <= set(words(done))
    assert () == (await parent.aget_state(config_of(thread))).next


async def test_a_resume_by_itself_is_the_customers_word(remote: RemoteGraph) -> None:
    thread = new_id()
    stopped: Any = await remote.ainvoke(said("person please"), config_of(thread))
    assert [None] == [one["value"] for one in stopped["__interrupt__"]]
    state = await remote.aget_state(config_of(thread))
    assert ("wait_for_person",) == state.next
    values: Any = await remote.ainvoke(Command(resume="are you there?"), config_of(thread))
    assert ["person please", "are you there?"] == contents(values)


async def test_what_goes_wrong_inside_is_told_without_its_cause(parent: Graph) -> None:
    with pytest.raises(RemoteException) as failed:
        await parent.ainvoke(said("fail"), config_of(new_id()))
    assert "hunter2" not in str(failed.value)


async def test_the_thread_of_somebody_else_is_not_there(live: Live, parent: Graph) -> None:
    thread = (await live.sdk(await live.customer()).threads.create())["thread_id"]
    with pytest.raises(NotFoundError):
        await parent.ainvoke(said("hello"), config_of(thread))


async def test_who_debugs_the_graph_is_told_that_our_steps_are_not_shown(live: Live, token: str, parent: Graph) -> None:
    with pytest.raises(PermissionDeniedError, match="staff alone"):
        [part async for part in parent.astream(said("hi"), config_of(new_id()), stream_mode="debug", subgraphs=True)]
    assert 0 == await live.sdk(token).threads.count()
