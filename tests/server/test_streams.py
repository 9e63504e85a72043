"""A run outlives its connection, and a stream that broke off goes on exactly where it was."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from server.sse import GRACE_SECONDS
from tests.server.conftest import Live, Outside, serving, settings_for
from tests.server.sse import Sent, all_of, names, sent
from tools.ledger.ledger import Ledger


def run(text: str, **more: Any) -> dict[str, Any]:
    message = {"role": "human", "content": text}
    return {"assistant_id": "support", "input": {"messages": [message]}, "stream_mode": "updates", **more}


@pytest.mark.parametrize("modes", [["updates"], ["messages"], ["values", "messages-tuple", "messages", "custom"]])
async def test_any_place_of_a_stream_plus_its_replay_is_the_whole_stream(
    client: httpx.AsyncClient, thread: str, modes: list[str]
) -> None:
    """Also of the form in which each event repeats what was said so far, and where one entry is told as several."""
    asked = run("hello there") | {"stream_mode": modes}
    whole = await all_of(client, "POST", f"/threads/{thread}/runs/stream", json=asked)
    query = "&".join(f"stream_mode={mode}" for mode in modes)
    path = f"/threads/{thread}/runs/{whole[0].data['run_id']}/stream?{query}"
    for place, event in enumerate(whole[:-1]):
        rest = await all_of(client, "GET", path, headers={"Last-Event-ID": str(event.id)})
        assert whole == whole[: place + 1] + rest
    assert whole == await all_of(client, "GET", path, headers={"Last-Event-ID": "-1"})


async def test_a_stream_that_breaks_off_goes_on_from_the_last_event(client: httpx.AsyncClient, thread: str) -> None:
    first: list[Sent] = []
    async with client.stream("POST", f"/threads/{thread}/runs/stream", json=run("slowly now")) as response:
        location = response.headers["location"]
        async for event in sent(response):
            first.append(event)
            break
    rest = await all_of(client, "GET", location, headers={"Last-Event-ID": str(first[-1].id)})
    assert names(first + rest)[0] == "metadata"
    assert names(rest)[-1] == "end"
    whole = await all_of(client, "GET", location, headers={"Last-Event-ID": "-1"})
    assert first + rest == [event for event in whole if event.event in {"metadata", *names(rest)}]


async def test_a_run_finishes_when_its_client_is_gone(client: httpx.AsyncClient, thread: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/chat", json={"message": "slowly now", "thread_id": thread}, timeout=0.3)
    runs = (await client.get(f"/threads/{thread}/runs")).json()
    joined = await client.get(f"/threads/{thread}/runs/{runs[0]['run_id']}/join")
    assert joined.json()["messages"][-1]["content"] == "You said: slowly now"


async def test_who_says_it_again_before_there_was_an_answer_is_heard_once(
    client: httpx.AsyncClient, thread: str
) -> None:
    """A client whose line breaks cannot know whether it was heard. Two that came at once were two runs."""
    message = {"role": "human", "content": "hello", "id": str(uuid4())}
    body = {"assistant_id": "support", "input": {"messages": [message]}}
    answers = await asyncio.gather(*(client.post(f"/threads/{thread}/runs", json=body) for _ in range(5)))
    [started] = {answer.json()["run_id"] for answer in answers if answer.is_success}
    assert {409} >= {answer.status_code for answer in answers if not answer.is_success}
    await client.get(f"/threads/{thread}/runs/{started}/join")
    lines = (await client.get(f"/threads/{thread}/messages")).json()
    assert ["hello", "You said: hello"] == [line["text"] for line in lines]


async def test_staff_see_private_updates_and_customers_do_not(
    live: Live, client: httpx.AsyncClient, thread: str
) -> None:
    theirs = await all_of(client, "POST", f"/threads/{thread}/runs/stream", json=run("hello"))
    path = f"/threads/{thread}/runs/{theirs[0].data['run_id']}/stream?stream_mode=updates"
    async with live.http(await live.agent()) as staff:
        ours = await all_of(staff, "GET", path, headers={"Last-Event-ID": "-1"})
    assert theirs[1].data == {"listen": {"stage": "resolve"}}
    assert ours[1].data == {"listen": {"private": "hello", "stage": "resolve"}}


async def test_what_is_no_longer_kept_is_told_as_a_gap(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    whole = await all_of(client, "POST", f"/threads/{thread}/runs/stream", json=run("hello"))
    path = f"/threads/{thread}/runs/{whole[0].data['run_id']}/stream?stream_mode=updates"
    await live.services.plugs.redis.xtrim(f"events:{{{thread}}}", maxlen=2, approximate=False)
    for last in (str(whole[0].id), "-1"):
        rest = await all_of(client, "GET", path, headers={"Last-Event-ID": last})
        assert names(rest) == ["gap", "end"]


async def test_a_run_whose_events_were_lost_still_ends(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    whole = await all_of(client, "POST", f"/threads/{thread}/runs/stream", json=run("hello"))
    await live.services.plugs.redis.flushall()
    path = f"/threads/{thread}/runs/{whole[0].data['run_id']}/stream"
    rest = await all_of(client, "GET", path, headers={"Last-Event-ID": str(whole[0].id)})
    assert names(rest) == ["end"]


async def test_a_stream_that_has_lived_long_enough_asks_to_reconnect(
    ledger: Ledger, redis_url: str, tmp_path: Any
) -> None:
    short = settings_for(tmp_path, redis_url).model_copy(update={"stream_seconds": 1})
    async with serving(short, ledger) as live, live.http(await live.customer()) as client:
        thread = (await client.post("/threads", json={})).json()["thread_id"]
        events = await all_of(client, "GET", f"/threads/{thread}/stream")
    assert names(events) == ["reconnect"]


async def test_open_streams_end_when_the_server_stops(ledger: Ledger, redis_url: str, tmp_path: Any) -> None:
    async with (
        serving(settings_for(tmp_path, redis_url), ledger, Outside()) as live,
        live.http(await live.customer()) as client,
    ):
        thread = (await client.post("/threads", json={})).json()["thread_id"]
        stream = asyncio.create_task(all_of(client, "GET", f"/threads/{thread}/stream"))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1 + GRACE_SECONDS):
            await live.stop()
        assert names(await stream) == ["reconnect"]
