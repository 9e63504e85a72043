"""Runs without a thread: the same door, and a conversation that goes with them."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError, PermissionDeniedError, UnprocessableEntityError
from starlette.requests import Request
from throttled.asyncio import rate_limiter

from graphs.settings import Settings
from server import limits
from server.limits import QUOTAS, Kind, kind_of
from server.temporary import LINGER, clear_temporary
from tests.server.conftest import Live, serving
from tests.server.deeds import action_in
from tests.server.test_protocol import contents, said
from tools.ledger.ledger import Ledger

NOW = timedelta()


def posted(path: str) -> Request:
    return Request({"type": "http", "method": "POST", "path": path, "headers": []})


async def thread_of(sdk: LangGraphClient) -> str:
    """The newest."""
    return str((await sdk.threads.search(limit=1))[0]["thread_id"])


async def test_a_run_without_a_thread_streams_and_its_thread_goes(live: Live, sdk: LangGraphClient) -> None:
    parts = [part async for part in sdk.runs.stream(None, "support", input=said("hi"), stream_mode="values")]
    assert ["metadata", "end"] == [parts[0].event, parts[-1].event]
    assert ["hi", "You said: hi"] == contents(parts[-2].data)
    thread = await thread_of(sdk)

    await clear_temporary(live.services)
    assert thread == (await sdk.threads.get(thread))["thread_id"]
    await clear_temporary(live.services, linger=NOW)

    with pytest.raises(NotFoundError):
        await sdk.threads.get(thread)
    assert [] == await live.services.events.read(thread, "0-0")
    assert [] == await live.services.ledger.messages(thread)
    assert LINGER > NOW


async def test_wait_returns_the_public_values(sdk: LangGraphClient) -> None:
    values: Any = await sdk.runs.wait(None, "support", input=said("hello"))
    assert ["hello", "You said: hello"] == contents(values)
    assert {"messages", "stage"} == set(values)


async def test_one_that_is_kept_is_a_thread_like_any_other(live: Live, sdk: LangGraphClient) -> None:
    await sdk.runs.wait(None, "support", input=said("hello"), on_completion="keep")
    thread = await thread_of(sdk)
    await clear_temporary(live.services, linger=NOW)
    values: Any = await sdk.runs.wait(thread, "support", input=said("again"))
    assert "You said: again" == contents(values)[-1]


async def test_one_in_the_background_is_joined_and_goes_when_it_is_over(live: Live, sdk: LangGraphClient) -> None:
    run: Any = await sdk.runs.create(None, "support", input=said("slowly now"))
    await clear_temporary(live.services, linger=NOW)
    joined: Any = await sdk.runs.join(run["thread_id"], run["run_id"])
    assert "You said: slowly now" == contents(joined)[-1]
    await clear_temporary(live.services, linger=NOW)
    with pytest.raises(NotFoundError):
        await sdk.runs.get(run["thread_id"], run["run_id"])


async def test_a_thread_stays_while_a_person_is_waited_for(live: Live, sdk: LangGraphClient) -> None:
    values: Any = await sdk.runs.wait(None, "support", input=said("person please"))
    assert values["__interrupt__"]
    thread = await thread_of(sdk)
    await clear_temporary(live.services, linger=NOW)
    assert "interrupted" == (await sdk.threads.get(thread))["status"]


async def test_a_thread_stays_while_something_agreed_to_is_under_way(live: Live, sdk: LangGraphClient) -> None:
    await sdk.runs.wait(None, "support", input=said("hello"))
    thread = await thread_of(sdk)
    await action_in(live.services.ledger, thread, "awaiting_approval")
    await clear_temporary(live.services, linger=NOW)
    assert "idle" == (await sdk.threads.get(thread))["status"]


async def test_no_client_marks_a_thread_as_temporary(live: Live, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create(metadata={"temporary": True}))["thread_id"]
    await sdk.threads.update(thread, metadata={"temporary": True})
    await clear_temporary(live.services, linger=NOW)
    assert "temporary" not in ((await sdk.threads.get(thread))["metadata"] or {})


async def test_secrets_are_masked_at_the_same_door(live: Live, sdk: LangGraphClient) -> None:
    values: Any = await sdk.runs.wait(None, "support", input=said("my card is 4242 4242 4242 4242"))
    kept = await live.services.ledger.messages(await thread_of(sdk))
    assert "4242 4242" not in str(values) + str(kept)


async def test_staff_have_no_conversation_of_their_own(live: Live) -> None:
    with pytest.raises(PermissionDeniedError):
        await live.sdk(await live.agent()).runs.create(None, "support", input=said("hello"))


@pytest.mark.parametrize(
    "body",
    [
        {"assistant_id": "action", "input": said("hi")},
        {"assistant_id": "support"},
        {"assistant_id": "support", "input": said("hi"), "config": {"configurable": {"thread_id": "x"}}},
        {"assistant_id": "support", "input": said("hi"), "interrupt_before": "*"},
        {"assistant_id": "support", "input": {**said("hi"), "identity": {"level": 2}}},
        {"assistant_id": "support", "command": {"update": {"identity": {"level": 2}}}},
        {"assistant_id": "support", "input": said("hi"), "on_completion": "whatever"},
        {"assistant_id": "support", "input": said("hi"), "stream_mode": "debug"},
        {"assistant_id": "support", "input": said(" ")},
    ],
    ids=str,
)
async def test_what_is_refused_leaves_no_thread(client: httpx.AsyncClient, body: Any) -> None:
    for form in ("", "/stream", "/wait"):
        assert (await client.post(f"/runs{form}", json=body)).status_code in {400, 403, 422}
    assert 0 == (await client.post("/threads/count", json={})).json()


@pytest.mark.parametrize("kind", ["talking", "threads"])
async def test_they_count_as_words_and_as_conversations(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    monkeypatch.setattr(limits, "DEMO_SHARE", 1)
    monkeypatch.setitem(QUOTAS, kind, rate_limiter.per_hour(1, burst=2))
    async with serving(settings, ledger) as live, live.http(await live.customer()) as http:
        body = {"assistant_id": "support", "input": said("hi")}
        assert [200, 200, 429] == [(await http.post("/runs/wait", json=body)).status_code for _ in range(3)]


def test_what_is_asked_by_post_and_changes_nothing_counts_as_reading() -> None:
    paths = ["/threads/count", "/assistants/{assistant}/versions", "/threads/{thread_id}/state/checkpoint"]
    assert {"reading"} == {kind_of(posted(path)) for path in paths}
    assert "changing" == kind_of(posted("/threads/{thread_id}/copy"))


async def test_an_sdk_is_told_what_is_not_undone(sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    with pytest.raises(UnprocessableEntityError, match="not undone"):
        await sdk.runs.create(thread, "support", input=said("hi"), multitask_strategy="rollback")
