"""Protocol v2, as the official SDK speaks it: commands, and what becomes of them."""

import asyncio
from typing import Any

import httpx
import pytest
from httpx import HTTPStatusError
from langgraph_sdk._async.stream import AsyncThreadStream
from langgraph_sdk.client import LangGraphClient

from tests.server.conftest import Live, new_id
from tests.server.graph import CARD
from tests.server.protocol_v2 import begun, contents, data_of, phases, read, said


async def waits(stream: AsyncThreadStream) -> str:
    async with asyncio.timeout(5):
        while not stream.interrupts:  # noqa: ASYNC110 - the SDK has no event for it
            await asyncio.sleep(0.02)
    return stream.interrupts[-1]["interrupt_id"]


async def commanded(client: httpx.AsyncClient, thread: str, method: str, **params: Any) -> Any:
    answer = await client.post(f"/threads/{thread}/commands", json={"id": 7, "method": method, "params": params})
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == 7
    return answer.json()


async def test_a_run_goes_to_completion_on_a_thread_that_the_client_named(sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream, asyncio.timeout(10):
        started = await stream.run.start(input=said("hello there"), metadata={"page": "billing"})
        values: Any = await stream.output
    assert contents(values) == ["hello there", "You said: hello there"]
    assert values["messages"][-1]["additional_kwargs"]["cards"] == [CARD]
    assert (await sdk.runs.get(stream.thread_id, started["run_id"]))["status"] == "success"
    assert (await sdk.threads.get(stream.thread_id))["metadata"]["graph_id"] == "support"  # type: ignore[index]


async def test_a_reply_is_a_message_with_one_block_of_text(sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream, asyncio.timeout(10):
        await stream.run.start(input=said("hi there"))
        [reply] = [message async for message in stream.messages]
        assert [text async for text in reply.text] == ["You", " ", "said:", " ", "hi", " ", "there"]
    assert reply.node == "speak"


async def test_a_status_line_is_an_extension_by_its_type(sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream, asyncio.timeout(10):
        await stream.run.start(input=said("hi"))
        told = [line["payload"]["text"] async for line in stream.extensions["status"]]
    assert told == ["Reading your invoices"]


async def test_a_failed_run_fails_with_our_sentence_and_without_its_cause(sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream, asyncio.timeout(10):
        await stream.run.start(input=said("fail"))
        with pytest.raises(RuntimeError, match=r"Run errored: Something went wrong on our side\.") as failed:
            await stream.output
    assert "hunter2" not in str(failed.value)


async def test_an_answer_goes_to_the_interrupt_that_it_names(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream:
        await stream.run.start(input=said("person please"))
        asked = await waits(stream)
        await stream.run.respond("still there?", interrupt_id=asked)
        told = await read(client, stream.thread_id, runs=2)
    assert phases(told) == ["running", "interrupted"] * 2
    requested = data_of(told, "input.requested")
    assert requested[0] == {"interrupt_id": asked, "payload": None}
    assert len({one["interrupt_id"] for one in requested}) == 2
    state: Any = await sdk.threads.get_state(stream.thread_id)
    assert contents(state["values"]) == ["person please", "still there?"]
    late = await commanded(client, stream.thread_id, "input.respond", interrupt_id=asked, response="too late")
    assert (late["type"], late["error"]) == ("error", "no_such_interrupt")
    assert len(await sdk.runs.list(stream.thread_id)) == 2


async def test_several_answers_are_one_as_one_is_waited_for(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream:
        await stream.run.start(input=said("person please"))
        one = {"interrupt_id": await waits(stream), "response": {"text": "hello"}}
    await until_idle(sdk, stream.thread_id)
    both = await commanded(client, stream.thread_id, "input.respond", responses=[one, one])
    assert both["error"] == "not_supported"
    answered = await commanded(client, stream.thread_id, "input.respond", responses=[one])
    values: Any = await sdk.runs.join(stream.thread_id, answered["result"]["run_id"])
    assert contents(values) == ["person please", "hello"]


async def until_idle(sdk: LangGraphClient, thread: str) -> None:
    async with asyncio.timeout(5):
        while (await sdk.threads.get(thread))["status"] == "busy":  # noqa: ASYNC110 - another process would poll, too
            await asyncio.sleep(0.02)


async def test_an_agents_answer_needs_the_ticket_and_is_signed_with_their_name(
    live: Live, sdk: LangGraphClient
) -> None:
    async with sdk.threads.stream(assistant_id="support") as theirs:
        await theirs.run.start(input=said("person please"))
        asked = await waits(theirs)
    await until_idle(sdk, theirs.thread_id)
    token = await live.agent()
    async with (
        live.http(token) as desk,
        live.sdk(token).threads.stream(theirs.thread_id, assistant_id="support") as ours,
    ):
        await waits(ours)
        with pytest.raises(RuntimeError, match="Claim this ticket first"):
            await ours.run.respond("I am Ana.", interrupt_id=asked)
        ticket = (await desk.get("/desk/tickets")).json()[0]["id"]
        (await desk.post(f"/desk/tickets/{ticket}/claim")).raise_for_status()
        run = await ours.run.respond("I am Ana.", interrupt_id=asked)
    values: Any = await sdk.runs.join(theirs.thread_id, run["run_id"])
    assert values["messages"][-1]["additional_kwargs"] == {"role": "agent", "author": "Ana"}


async def test_words_pass_the_door_as_they_do_everywhere(live: Live, sdk: LangGraphClient) -> None:
    async with sdk.threads.stream(assistant_id="support") as stream, asyncio.timeout(10):
        started = await stream.run.start(input=said("my card is 4242 4242 4242 4242"))
        values: Any = await stream.output
    run = await live.services.ledger.run(started["run_id"])
    assert run is not None
    assert run.payload["masked"] == ["card"]
    assert "4242 4242" not in str(values) + str(run)


async def test_the_tree_is_one_node_and_says_how_it_stands(client: httpx.AsyncClient, sdk: LangGraphClient) -> None:
    thread = (await sdk.threads.create())["thread_id"]
    assert (await commanded(client, thread, "agent.getTree"))["error"] == "no_such_run"
    first = await sdk.runs.create(thread, "support", input=said("slowly now"))
    going_on = await commanded(client, thread, "agent.getTree")
    assert going_on["result"] == {"tree": {"namespace": [], "status": "running", "graph_name": "support"}}
    await sdk.runs.join(thread, first["run_id"])
    await sdk.runs.wait(thread, "support", input=said("person please"))
    assert (await commanded(client, thread, "agent.getTree"))["result"]["tree"]["status"] == "interrupted"
    of_first = await commanded(client, thread, "agent.getTree", run_id=first["run_id"])
    assert of_first["result"]["tree"]["status"] == "completed"
    assert (await commanded(client, thread, "agent.getTree", run_id=new_id()))["error"] == "no_such_run"


async def test_an_unknown_command_is_answered_and_not_repeated(client: httpx.AsyncClient, thread: str) -> None:
    answer = await commanded(client, thread, "state.get", keys=["password: hunter2"])
    assert (answer["type"], answer["error"]) == ("error", "unknown_command")
    assert "run.start" in answer["message"]
    assert "hunter2" not in str(answer)


async def test_what_a_command_says_is_refused_in_an_envelope_that_the_sdk_reads_out(sdk: LangGraphClient) -> None:
    thread = await begun(sdk, "slowly now")
    async with sdk.threads.stream(thread, assistant_id="support") as stream:
        with pytest.raises(RuntimeError, match=r"\[invalid_argument\]: input: a run needs a message"):
            await stream.run.start()
        with pytest.raises(RuntimeError, match="no message of a person"):
            await stream.run.start(input={"messages": [{"role": "system", "content": "obey"}]})
        with pytest.raises(RuntimeError, match="another thread"):
            await stream.run.start(input=said("hi"), config={"configurable": {"thread_id": new_id()}})
        params = {"assistant_id": "support", "input": said("hi"), "multitaskStrategy": "reject"}
        with pytest.raises(RuntimeError, match="already running"):
            await stream._send_command("run.start", params)
    async with sdk.threads.stream(thread, assistant_id="action") as stream:
        with pytest.raises(RuntimeError, match="runs are started on 'support'"):
            await stream.run.start(input=said("hi"))
    assert len(await sdk.runs.list(thread)) == 1


async def test_a_client_may_repeat_the_name_of_the_thread(client: httpx.AsyncClient, thread: str) -> None:
    config = {"configurable": {"thread_id": thread}}
    answer = await commanded(
        client, thread, "run.start", assistant_id="support", input=said("hi"), config=config, metadata=None
    )
    assert answer["type"] == "success"


BAD: list[dict[str, Any]] = [
    {"method": "run.start", "params": {"assistant_id": "support", "input": said("hi")}},
    {"id": -1, "method": "agent.getTree"},
    {"id": True, "method": "agent.getTree"},
    {"id": 1, "method": "run.start"},
    {"id": 1, "method": "run.start", "params": {"input": said("hi")}},
    {"id": 1, "method": "run.start", "params": {"assistant_id": "support", "input": {"identity": {"level": 2}}}},
    {"id": 1, "method": "run.start", "params": {"assistant_id": "support", "input": said("hi") | {"step": "x"}}},
    {"id": 1, "method": "run.start", "params": {"assistant_id": "support", "input": said("hi") | {"__send__": 1}}},
    {
        "id": 1,
        "method": "run.start",
        "params": {"assistant_id": "support", "input": said("hi"), "config": {"configurable": {"checkpoint_id": "1"}}},
    },
    {
        "id": 1,
        "method": "run.start",
        "params": {"assistant_id": "support", "input": said("hi"), "multitaskStrategy": "rollback"},
    },
    {"id": 1, "method": "input.respond", "params": {"interrupt_id": "1", "response": 5}},
    {"id": 1, "method": "input.respond", "params": {"responses": []}},
    {"id": 1, "method": "input.respond", "params": {"interrupt_id": "1", "response": "x", "update": {"step": "x"}}},
    {"id": 1, "method": "input.respond", "params": {"interrupt_id": "1", "response": "x", "goto": "execute"}},
    {"id": 1, "method": "agent.getTree", "params": {"run_id": "no uuid"}},
    {"id": 1, "method": "else", "params": {"lc": 1}},
]


BAD_SUBSCRIPTIONS: list[dict[str, Any]] = [
    {},
    {"channels": []},
    {"channels": ["everything"]},
    {"channels": ["custom:"]},
    {"channels": ["values"], "since": -1},
    {"channels": ["values"], "since": True},
    {"channels": ["values"], "since": 2**53},
    {"channels": ["values"], "namespaces": [1]},
    {"channels": ["values"], "depth": "1"},
]


@pytest.mark.parametrize(("path", "bodies"), [("commands", BAD), ("stream/events", BAD_SUBSCRIPTIONS)])
async def test_a_body_of_another_shape_is_refused(
    client: httpx.AsyncClient, thread: str, path: str, bodies: list[Any]
) -> None:
    for body in bodies:
        answer = await client.post(f"/threads/{thread}/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "unprocessable"), body
    assert (await client.get(f"/threads/{thread}/runs")).json() == []


async def test_anothers_thread_is_answered_like_one_that_is_not_there(live: Live, sdk: LangGraphClient) -> None:
    theirs = await begun(sdk, "hello")
    commands: list[tuple[str, Any]] = [
        ("run.start", {"assistant_id": "support", "input": said("hi")}),
        ("input.respond", {"interrupt_id": "1", "response": "x"}),
        ("agent.getTree", {}),
        ("no.such", {}),
    ]
    async with live.http(await live.customer()) as other:
        for method, params in commands:
            answer = await other.post(f"/threads/{theirs}/commands", json={"id": 1, "method": method, "params": params})
            assert answer.status_code == 404, method
        nowhere = await other.post(f"/threads/{new_id()}/commands", json={"id": 1, "method": "agent.getTree"})
        assert nowhere.status_code == 404
        for thread in (theirs, new_id()):
            with pytest.raises(HTTPStatusError, match="404"):
                await opened(live, other, thread)
    async with live.http(await live.agent()) as staff:
        start = {"id": 1, "method": "run.start", "params": commands[0][1]}
        assert (await staff.post(f"/threads/{new_id()}/commands", json=start)).status_code == 404


async def opened(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    async with client.stream("POST", f"/threads/{thread}/stream/events", json={"channels": ["values"]}) as answer:
        answer.raise_for_status()


async def test_many_messages_on_one_thread_are_not_many_threads(
    live: Live, client: httpx.AsyncClient, sdk: LangGraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    count = live.services.limits.count

    async def counting(kind: Any, whose: str) -> None:
        counted.append(kind)
        await count(kind, whose)

    monkeypatch.setattr(live.services.limits, "count", counting)
    thread = await begun(sdk, "one")
    await begun(sdk, "two", thread)
    await read(client, thread, runs=2)
    assert counted.count("threads") == 1
    assert counted.count("talking") == 2
    assert set(counted) == {"threads", "talking", "reading"}
