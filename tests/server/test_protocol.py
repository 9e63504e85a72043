"""The official SDK is a client as it is."""

import asyncio
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError, NotFoundError

from tests.server.conftest import Live
from tests.server.graph import CARD


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "human", "content": text}]}


async def test_a_run_streams_metadata_values_updates_messages_and_custom(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create(metadata={"page": "billing"}))["thread_id"]
    modes: Any = ["values", "updates", "messages-tuple", "custom"]
    parts = [part async for part in sdk.runs.stream(thread, "support", input=said("hi there"), stream_mode=modes)]
    assert [parts[0].event, parts[-1].event] == ["metadata", "end"]
    assert {"metadata", "values", "updates", "messages", "custom", "end"} == {part.event for part in parts}
    chunks = [part.data[0] for part in parts if part.event == "messages"]
    assert "".join(chunk["content"] for chunk in chunks) == "You said: hi there"
    assert contents(parts[-2].data) == ["hi there", "You said: hi there"]
    assert all(part.id for part in parts)


async def test_the_older_form_of_messages_accumulates(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    parts = [part async for part in sdk.runs.stream(thread, "support", input=said("a b"), stream_mode="messages")]
    partial = [part.data[0] for part in parts if part.event == "messages/partial"]
    assert parts[1].event == "messages/metadata"
    assert partial[-1]["content"] == "You said: a b"
    assert {"ai"} == {message["type"] for message in partial}


async def test_a_run_that_nobody_has_begun_is_seen_in_the_state(
    live: Live, sdk: LangGraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is opened then follows nothing else: by `next` clients know whether there is something to follow."""

    async def busy_elsewhere(_thread: str) -> None: ...

    thread = (await sdk.threads.create())["thread_id"]
    assert (await sdk.threads.get_state(thread))["next"] == []
    monkeypatch.setattr(live.services.queue.executor, "drain", busy_elsewhere)
    await sdk.runs.create(thread, "support", input=said("hi"))
    assert (await sdk.threads.get_state(thread))["next"] == ["__start__"]


async def test_wait_returns_the_public_values(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    values: Any = await sdk.runs.wait(thread, "support", input=said("hello"))
    assert contents(values) == ["hello", "You said: hello"]
    assert {"messages", "stage"} == set(values)
    assert values["messages"][-1]["additional_kwargs"]["cards"] == [CARD]


async def test_a_failed_run_is_an_error_without_its_cause(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    values: Any = await sdk.runs.wait(thread, "support", input=said("fail"), raise_error=False)
    assert "internals" not in str(values)
    assert {"error", "message"} == set(values["__error__"])
    assert (await sdk.threads.get(thread))["status"] == "error"
    again: Any = await sdk.runs.wait(thread, "support", input=said("and now"))
    assert contents(again)[-1] == "You said: and now"


async def test_create_get_list_and_join_a_run(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    run = await sdk.runs.create(thread, "support", input=said("slowly now"))
    assert run["status"] in {"pending", "running"}
    assert (await sdk.threads.get(thread))["status"] == "busy"
    joined = await sdk.runs.join(thread, run["run_id"])
    assert contents(joined) == ["slowly now", "You said: slowly now"]
    assert (await sdk.runs.get(thread, run["run_id"]))["status"] == "success"
    assert [run["run_id"]] == [one["run_id"] for one in await sdk.runs.list(thread)]
    assert (await sdk.threads.get(thread))["status"] == "idle"


async def test_state_and_history_show_output_channels_only(live: Live, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    await sdk.runs.wait(thread, "support", input=said("hello"))
    state: Any = await sdk.threads.get_state(thread)
    history: Any = await sdk.threads.get_history(thread, limit=3)
    assert {"messages", "stage"} == set(state["values"])
    assert state["next"] == []
    assert len(history) == 3
    assert state["checkpoint_id"] == history[0]["checkpoint_id"]
    assert "private" not in str(history)
    older: Any = await sdk.threads.get_history(thread, before=history[1]["checkpoint"], limit=1)
    assert history[2]["checkpoint_id"] == older[0]["checkpoint_id"]
    staff: Any = await live.sdk(await live.agent()).threads.get_state(thread)
    assert staff["values"]["private"] == "hello"


async def test_an_unused_thread_has_an_empty_state(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    state: Any = await sdk.threads.get_state(thread)
    assert (state["values"], state["next"], state["checkpoint"]) == ({}, [], None)


async def test_a_person_is_waited_for_and_what_is_said_to_them_stays_hidden(live: Live, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    parts = [part async for part in sdk.runs.stream(thread, "support", input=said("person please"))]
    interrupts: Any = parts[-2].data["__interrupt__"]
    assert [interrupt["value"] for interrupt in interrupts] == [None]
    state: Any = await sdk.threads.get_state(thread)
    assert state["next"] == ["wait_for_person"]
    assert "for staff alone" not in str(parts) + str(state) + str(await sdk.threads.get(thread))
    assert (await sdk.threads.get(thread))["status"] == "interrupted"
    staff: Any = await live.sdk(await live.agent()).threads.get_state(thread)
    assert "for staff alone" in str(staff)


async def test_while_parked_words_are_kept_however_they_are_sent(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    await sdk.runs.wait(thread, "support", input=said("person please"))
    await sdk.runs.wait(thread, "support", command={"resume": "as an answer"})
    values: Any = await sdk.runs.wait(thread, "support", input=said("as a message"))
    assert contents(values) == ["person please", "as an answer", "as a message"]
    assert values["__interrupt__"]


async def test_a_run_under_way_can_be_cancelled(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    run = await sdk.runs.create(thread, "support", input=said("slowly now"))
    await asyncio.sleep(0.1)
    await sdk.runs.cancel(thread, run["run_id"], wait=True)
    assert (await sdk.runs.get(thread, run["run_id"]))["status"] == "interrupted"
    with pytest.raises(NotFoundError):
        await sdk.runs.cancel(thread, run["run_id"])
    values: Any = await sdk.runs.wait(thread, "support", input=said("hello"))
    assert contents(values)[-1] == "You said: hello"


async def test_a_busy_thread_can_reject(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    run = await sdk.runs.create(thread, "support", input=said("slowly now"))
    with pytest.raises(ConflictError):
        await sdk.runs.create(thread, "support", input=said("too soon"), multitask_strategy="reject")
    await sdk.runs.join(thread, run["run_id"])


async def test_join_stream_replays_a_run_that_is_over(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    first = [part async for part in sdk.runs.stream(thread, "support", input=said("hi"), stream_mode="values")]
    run = first[0].data["run_id"]
    replay = sdk.runs.join_stream(thread, run, stream_mode="values", last_event_id="-1")
    assert first == [part async for part in replay]
    assert [part.event async for part in sdk.runs.join_stream(thread, run)] == ["end"]


async def test_the_thread_stream_tells_of_every_run(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    ended: list[str] = []

    async def listen() -> None:
        async for part in await sdk.threads.join_stream(thread):
            if part.event == "end":
                ended.append(str(part.id))
            if len(ended) == 2:
                return

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0.1)
    for text in ("one", "two"):
        await sdk.runs.wait(thread, "support", input=said(text))
    await asyncio.wait_for(listener, 5)
    assert sorted(ended) == ended


async def test_assistants_are_found_by_name_and_by_id(sdk: LangGraphClient) -> None:
    found = await sdk.assistants.search(graph_id="support")
    assert [one["graph_id"] for one in found] == ["support"]
    named = await sdk.assistants.get("support")
    assert named == await sdk.assistants.get(found[0]["assistant_id"])
    drawn: Any = await sdk.assistants.get_graph("support")
    assert "wait_for_person" in {node["id"] for node in drawn["nodes"]}
    schemas: Any = await sdk.assistants.get_schemas("support")
    assert {"messages", "stage", "ticket"} == set(schemas["output_schema"]["properties"])
    with pytest.raises(NotFoundError):
        await sdk.assistants.get("nope")


async def test_threads_are_searched_by_metadata_and_deleted_with_their_state(live: Live, sdk: LangGraphClient) -> None:
    thread = await sdk.threads.create(metadata={"page": "billing"})
    await sdk.threads.create()
    found = await sdk.threads.search(metadata={"graph_id": "support", "page": "billing"}, status="idle")
    assert [thread["thread_id"]] == [one["thread_id"] for one in found]
    renamed = await sdk.threads.update(thread["thread_id"], metadata={"page": "invoices"})
    assert renamed["metadata"]["page"] == "invoices"  # type: ignore[index]
    await sdk.runs.wait(thread["thread_id"], "support", input=said("hello"))
    await sdk.threads.delete(thread["thread_id"])
    with pytest.raises(NotFoundError):
        await sdk.threads.get(thread["thread_id"])
    assert await live.services.events.read(thread["thread_id"], "0-0") == []


async def test_if_not_exists_creates_the_thread(sdk: LangGraphClient) -> None:
    thread = "11111111-1111-4111-8111-111111111111"
    stream = sdk.runs.stream(thread, "support", input=said("hi"), if_not_exists="create", stream_mode="values")
    assert [part.event async for part in stream][-1] == "end"
    assert thread == (await sdk.threads.get(thread))["thread_id"]


def contents(values: Any) -> list[str]:
    return [message["content"] for message in values["messages"]]
