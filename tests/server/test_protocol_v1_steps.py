"""Stream modes that show the state between the steps: for staff alone."""

from collections import Counter
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import PermissionDeniedError, UnprocessableEntityError

from tests.server.conftest import Live
from tests.server.test_protocol import said

STEPS: Any = ["debug", "tasks", "checkpoints"]


@pytest.fixture
async def parked(sdk: LangGraphClient) -> str:
    """A thread that a person has."""
    thread = (await sdk.threads.create())["thread_id"]
    await sdk.runs.wait(thread, "support", input=said("person please"))
    return thread


@pytest.fixture
async def ana(live: Live, parked: str) -> LangGraphClient:
    """Who has claimed it."""
    token = await live.agent()
    ticket = await live.services.ledger.ticket_of(parked)
    assert ticket is not None
    async with live.http(token) as http:
        assert 200 == (await http.post(f"/desk/tickets/{ticket.id}/claim")).status_code
    return live.sdk(token)


async def test_staff_see_tasks_checkpoints_and_debug(ana: LangGraphClient, parked: str) -> None:
    parts = [part async for part in ana.runs.stream(parked, "support", input=said("I am here"), stream_mode=STEPS)]
    kinds = Counter(part.event for part in parts)
    assert {"metadata", "debug", "tasks", "checkpoints", "end"} == set(kinds)
    assert kinds["debug"] == kinds["tasks"] + kinds["checkpoints"]
    wrapped: list[Any] = [part.data for part in parts if part.event == "debug"]
    assert [one["payload"] for one in wrapped if one["type"] == "checkpoint"] == [
        part.data for part in parts if part.event == "checkpoints"
    ]
    assert {"task", "task_result", "checkpoint"} == {one["type"] for one in wrapped}
    [last, *_] = [part.data for part in reversed(parts) if part.event == "checkpoints"]
    state: Any = await ana.threads.get_state(parked)
    assert state["checkpoint"] == last["checkpoint"]
    assert state["parent_checkpoint"] == last["parent_checkpoint"]
    assert "fence" not in str(parts)


async def test_staff_who_ask_for_one_get_no_other(ana: LangGraphClient, parked: str) -> None:
    parts = [part async for part in ana.runs.stream(parked, "support", input=said("one"), stream_mode="tasks")]
    assert {"metadata", "tasks", "end"} == {part.event for part in parts}
    assert "wait_for_person" in {part.data["name"] for part in parts if part.event == "tasks"}


async def test_customers_are_refused_in_a_sentence_and_no_run_begins(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    for mode in STEPS:
        with pytest.raises(PermissionDeniedError, match="staff alone"):
            await sdk.runs.create(thread, "support", input=said("hi"), stream_mode=mode)
        with pytest.raises(PermissionDeniedError, match="staff alone"):
            [part async for part in sdk.runs.stream(thread, "support", input=said("hi"), stream_mode=["values", mode])]
    assert [] == await sdk.runs.list(thread)


async def test_a_customer_who_joins_is_refused_too(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    run = await sdk.runs.create(thread, "support", input=said("hi"))
    with pytest.raises(PermissionDeniedError, match="staff alone"):
        [part async for part in sdk.runs.join_stream(thread, run["run_id"], stream_mode="debug")]


async def test_what_staff_watch_shows_customers_nothing_more(
    live: Live, sdk: LangGraphClient, ana: LangGraphClient, parked: str
) -> None:
    [part async for part in ana.runs.stream(parked, "support", input=said("I am here"), stream_mode="debug")]
    modes: Any = ["values", "updates", "messages-tuple", "custom"]
    parts = [part async for part in sdk.runs.stream(parked, "support", input=said("hello"), stream_mode=modes)]
    run = parts[0].data["run_id"]
    assert {"metadata", "values", "updates", "messages", "custom", "end"} >= {part.event for part in parts}
    assert "private" not in str(parts)
    logged = [event for event in await live.services.events.read(parked, "0-0") if event.run == run]
    assert "debug" in {event.event for event in logged}
    seen = [part async for part in ana.runs.join_stream(parked, run, stream_mode="checkpoints", last_event_id="-1")]
    assert "checkpoints" in {part.event for part in seen}


async def test_nobody_watches_and_nothing_is_copied(live: Live, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    await sdk.runs.wait(thread, "support", input=said("hi"))
    assert "debug" not in {event.event for event in await live.services.events.read(thread, "0-0")}


async def test_streaming_subgraphs_adds_nothing_for_there_are_none(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    stream = sdk.runs.stream(thread, "support", input=said("hi"), stream_mode=["values"], stream_subgraphs=True)
    assert {"metadata", "values", "end"} == {part.event async for part in stream}


async def test_interrupts_of_a_clients_own_are_refused_and_named(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    for name in ("interrupt_before", "interrupt_after"):
        asked: Any = {name: ["speak"]}
        with pytest.raises(
            UnprocessableEntityError, match=f"'{name}' cannot be sent. Interrupts are set by the server"
        ):
            await sdk.runs.create(thread, "support", input=said("hi"), **asked)


async def test_modes_that_are_not_served_are_named(client: httpx.AsyncClient, thread: str) -> None:
    body = {"assistant_id": "support", "input": said("hi"), "stream_mode": ["events"]}
    refused = await client.post(f"/threads/{thread}/runs/stream", json=body)
    assert (422, True) == (refused.status_code, "'debug'" in refused.text)
