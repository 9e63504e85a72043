"""The stream of protocol v2: any place of it plus what comes after is the whole, wherever and whenever it is read."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from server.protocol.places import GAP, number
from tests.server.conftest import Live, serving, settings_for
from tests.server.protocol_v2 import CHANNELS, begun, contents, data_of, phases, read, said
from tests.server.sse import all_of, names
from tools.ledger.ledger import Ledger


async def test_what_happens_is_told_in_order(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    told = await read(client, await begun(sdk, "hi"))
    assert [
        "lifecycle", "values", "custom", "updates", "values", *["messages"] * 9, "updates", "values", "lifecycle",
    ] == [event["method"] for event in told]  # fmt: skip
    assert phases(told) == ["running", "completed"]
    assert {one["graph_name"] for one in data_of(told, "lifecycle")} == {"support"}
    assert data_of(told, "custom") == [
        {"name": "status", "payload": {"type": "status", "text": "Reading your invoices"}}
    ]
    assert data_of(told, "updates")[0] == {"node": "listen", "values": {"stage": "resolve"}}
    assert contents(data_of(told, "values")[-1]) == ["hi", "You said: hi"]
    assert "__interrupt__" not in str(told)


async def test_a_message_starts_grows_and_finishes(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    told = data_of(await read(client, await begun(sdk, "hi")), "messages")
    deltas = [one["delta"]["text"] for one in told if one["event"] == "content-block-delta"]
    assert [one["event"] for one in told] == [
        "message-start", "content-block-start", *["content-block-delta"] * 5, "content-block-finish", "message-finish",
    ]  # fmt: skip
    assert (told[0]["role"], told[1]["content"]) == ("ai", {"type": "text", "text": ""})
    assert "".join(deltas) == told[-2]["content"]["text"] == "You said: hi"


async def test_numbers_rise_and_are_exact_in_a_client_that_counts_in_floats(
    client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "hi")
    path, body = f"/threads/{thread}/stream/events", {"channels": CHANNELS}
    told = await read(client, thread)
    numbers = [event["seq"] for event in told]
    assert sorted(set(numbers)) == numbers
    assert numbers[-1] < 2**53
    assert len({event["event_id"] for event in told}) == len(told)
    async with client.stream("POST", path, json=body) as response:
        lines = response.aiter_lines()
        head = [await anext(lines) for _ in range(3)]
    assert sorted(line.partition(":")[0] for line in head) == ["data", "event", "id"]
    assert {f"id: {numbers[0]}", "event: lifecycle"} < set(head)


async def test_any_place_of_a_stream_plus_what_comes_after_is_the_whole_stream(
    client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "hello there")
    await read(client, thread)
    await sdk.runs.wait(thread, "support", input=said("person please"))
    whole = await read(client, thread, runs=2)
    assert len(whole) > 25
    for place, event in enumerate(whole[:-1]):
        left = len(whole) - place - 1
        assert whole == whole[: place + 1] + await read(client, thread, since=event["seq"], most=left)


async def test_who_comes_back_in_mid_run_misses_nothing_and_hears_nothing_twice(
    client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    uninterrupted = asyncio.create_task(read(client, thread))
    await begun(sdk, "slowly, word by word", thread)
    heard = await read(client, thread, most=2)
    while "completed" not in phases(heard):
        heard += await read(client, thread, since=heard[-1]["seq"], most=1)
    assert await uninterrupted == heard
    assert heard == await read(client, thread)


async def test_another_server_tells_the_same_also_after_a_restart(
    ledger: Ledger, redis_url: str, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, redis_url)
    async with serving(settings, ledger) as first:
        token = await first.customer()
        thread = await begun(first.sdk(token), "hello")
        async with serving(settings, ledger) as second, first.http(token) as one, second.http(token) as other:
            told = await read(one, thread)
            assert told == await read(other, thread)
    async with serving(settings, ledger) as restarted, restarted.http(token) as again:
        assert told[3:] == await read(again, thread, since=told[2]["seq"])


async def test_two_runs_are_told_on_one_stream(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    both = asyncio.create_task(read(client, thread, runs=2))
    for text in ("one", "two"):
        await sdk.runs.wait(thread, "support", input=said(text))
    told = await both
    assert phases(told) == ["running", "completed"] * 2
    assert contents(data_of(told, "values")[-1]) == ["one", "You said: one", "two", "You said: two"]


async def test_a_command_says_from_where_its_run_is_read(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    thread = await begun(sdk, "one")
    await read(client, thread)
    params = {"assistant_id": "support", "input": said("two")}
    answer = await client.post(f"/threads/{thread}/commands", json={"id": 1, "method": "run.start", "params": params})
    told = await read(client, thread, since=answer.json()["meta"]["applied_through_seq"])
    assert phases(told) == ["running", "completed"]
    assert "You said: two" in str(told)


async def test_a_customer_sees_no_private_state_and_staff_do(live: Live, client: httpx.AsyncClient) -> None:
    thread = (await client.post("/threads", json={})).json()["thread_id"]
    run = {"assistant_id": "support", "input": said("person please")}
    await client.post(f"/threads/{thread}/runs/wait", json=run)
    theirs = await read(client, thread)
    async with live.http(await live.agent()) as staff:
        ours = await read(staff, thread)
    for secret in ("private", "for staff alone", "nobody should read this"):
        assert secret not in str(theirs)
        assert secret in str(ours)
    assert data_of(theirs, "input.requested")[0]["payload"] is None
    shown = {event["seq"]: event["method"] for event in ours}
    assert {event["seq"]: event["method"] for event in theirs}.items() < shown.items()


async def test_only_what_was_asked_for_is_told(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    thread = await begun(sdk, "person please")
    whole = await read(client, thread)
    for channels, methods in (
        (["lifecycle", "input"], {"lifecycle", "input.requested"}),
        (["lifecycle", "custom:status"], {"lifecycle", "custom"}),
        (["lifecycle", "custom:other"], {"lifecycle"}),
    ):
        expected = [event for event in whole if event["method"] in methods]
        assert expected == await read(client, thread, channels=channels, namespaces=[[]], depth=0)


async def test_what_is_no_longer_kept_is_a_gap_and_the_state_as_it_is_now(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "hello")
    whole = await read(client, thread)
    await live.services.plugs.redis.xtrim(f"events:{{{thread}}}", maxlen=2, approximate=False)
    [kept, _] = await live.services.events.read(thread, "0-0")
    for since in (0, whole[0]["seq"], whole[-4]["seq"]):
        told = await read(client, thread, runs=2, since=since)
        assert [event["method"] for event in told] == ["gap", "values", "lifecycle", "values", "lifecycle"]
        assert phases(told) == ["completed", "completed"]
        assert "no longer kept" in told[0]["params"]["data"]["message"]
        assert contents(told[1]["params"]["data"]) == ["hello", "You said: hello"]
        assert "private" not in str(told)
        assert told[3:] == whole[-2:]
        assert told[0]["seq"] == number(kept.id, GAP)
        numbers = [since, *(event["seq"] for event in told)]
        assert sorted(set(numbers)) == numbers
    again = await read(client, thread, runs=2, since=told[0]["seq"])
    assert (told[1]["seq"], told[3:]) == (again[0]["seq"], again[2:])
    assert told[3:] == await read(client, thread, since=told[2]["seq"])


async def test_when_the_log_is_lost_the_reader_is_told_at_once(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "person please")
    whole = await read(client, thread)
    await live.services.events.delete(thread)
    told = await read(client, thread, since=whole[-1]["seq"])
    assert [event["method"] for event in told] == ["gap", "values", "input.requested", "lifecycle"]
    assert data_of(whole, "input.requested") == data_of(told, "input.requested")
    await begun(sdk, "still there?", thread)
    after = await read(client, thread, since=told[-1]["seq"])
    assert phases(after)[-1] == "interrupted"
    assert "still there?" in str(after)


async def test_a_reader_whose_log_is_lost_under_it_is_told(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "one")
    both = asyncio.create_task(read(client, thread, runs=2))
    await read(client, thread)
    await asyncio.sleep(0.2)
    await live.services.events.delete(thread)
    await begun(sdk, "two", thread)
    methods = [event["method"] for event in await both]
    assert methods[methods.index("gap") :][:3] == ["gap", "values", "lifecycle"]


async def test_who_waits_for_the_end_of_a_run_in_a_lost_log_is_told_of_it(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "fail")
    whole = await read(client, thread)
    await live.services.events.delete(thread)
    told = await read(client, thread, since=whole[0]["seq"])
    assert data_of(told, "lifecycle") == data_of(whole, "lifecycle")[-1:]


async def test_a_message_whose_beginning_is_lost_is_told_whole_at_its_end(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    """Clients took the second half of a reply for all of it, and believed no state that said otherwise."""
    thread = await begun(sdk, "at length, word by word")
    heard = await read(client, thread, most=12)
    assert heard[-1]["params"]["data"]["event"] == "content-block-delta"
    await live.services.events.delete(thread)
    told = await read(client, thread)
    assert [event["method"] for event in told][:3] == ["gap", "values", "lifecycle"]
    pieces = data_of(told, "messages")
    assert [one["event"] for one in pieces] == [
        "message-start", "content-block-start", "content-block-delta", "content-block-finish", "message-finish",
    ]  # fmt: skip
    assert "You said: at length, word by word" == pieces[-2]["content"]["text"]
    assert {one["id"] for one in pieces} == {one["id"] for one in data_of(heard, "messages")}


async def test_who_names_no_place_reads_the_run_that_goes_on_or_the_last_one(
    client: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    thread = await begun(sdk, "one")
    first = await read(client, thread)
    assert first == await read(client, thread, since=None)
    await begun(sdk, "slowly two", thread)
    going_on = await read(client, thread, since=None)
    whole = await read(client, thread, runs=2)
    assert going_on == whole[len(first) :] == await read(client, thread, since=None)


async def test_a_run_that_has_said_nothing_yet_is_told_without_the_end_of_the_one_before(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was opened again took the end of the last run for that of the one that it had just asked for."""
    thread = await begun(sdk, "one")
    await read(client, thread)
    append = live.services.events.append

    async def late(*entry: Any, **more: Any) -> str:
        await asyncio.sleep(0.3)
        return await append(*entry, **more)

    monkeypatch.setattr(live.services.events, "append", late)
    await begun(sdk, "two", thread)
    told = await read(client, thread, since=None)
    assert phases(told) == ["running", "completed"]
    assert contents(data_of(told, "values")[-1])[2:] == ["two", "You said: two"]


async def test_a_cancelled_run_is_interrupted(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    run = await sdk.runs.create(thread, "support", input=said("slowly now"))
    await asyncio.sleep(0.1)
    await sdk.runs.cancel(thread, run["run_id"], wait=True)
    assert phases(await read(client, thread)) == ["running", "interrupted"]


async def test_a_run_whose_end_nobody_wrote_ends_in_the_same_place_for_everybody(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker was killed after it had written that the run is over, and before it said so."""
    append = live.services.events.append

    async def dies(thread: str, run: str, events: list[tuple[str, str]], **more: Any) -> str:
        kept = [one for one in events if one[0] != "end"]
        return await append(thread, run, kept, **more) if kept else ""

    monkeypatch.setattr(live.services.events, "append", dies)
    thread = await begun(sdk, "one")
    told = await read(client, thread)
    assert phases(told) == ["running", "completed"]
    monkeypatch.undo()
    await sdk.runs.wait(thread, "support", input=said("two"))
    both = await read(client, thread, runs=2)
    assert both[: len(told)] == told
    assert phases(both) == ["running", "completed"] * 2
    assert both[len(told) :] == await read(client, thread, since=told[-1]["seq"])


async def test_a_stream_that_has_lived_long_enough_asks_to_reconnect(
    ledger: Ledger, redis_url: str, tmp_path: Path
) -> None:
    short = settings_for(tmp_path, redis_url).model_copy(update={"stream_seconds": 1})
    async with serving(short, ledger) as live:
        token = await live.customer()
        thread = await begun(live.sdk(token), "hi")
        async with live.http(token) as client:
            told = await all_of(client, "POST", f"/threads/{thread}/stream/events", json={"channels": ["lifecycle"]})
    assert names(told) == ["lifecycle", "lifecycle", "reconnect"]
    assert told[-1].id == told[-2].id


async def test_an_open_stream_counts_for_its_caller(
    live: Live, client: httpx.AsyncClient, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.limits.DEMO_SHARE", 1)
    monkeypatch.setattr("server.limits.MOST_STREAMS", 1)
    path, body = f"/threads/{thread}/stream/events", {"channels": ["values"]}
    async with client.stream("POST", path, json=body) as first, client.stream("POST", path, json=body) as second:
        assert (first.status_code, second.status_code) == (200, 429)
        assert "counterfoil_open_streams 1.0" in await live.metrics()
