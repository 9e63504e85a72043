"""Reading threads with the official SDK: past states, history, counts, assistants. Nobody writes state."""

from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError, PermissionDeniedError, UnprocessableEntityError

from graphs.settings import Settings
from tests.server.conftest import Live, new_id, serving
from tests.server.test_protocol import contents, said
from tests.server.test_protocol_v1_remote import remote_graph
from tools.ledger.ledger import Ledger

Json = dict[str, Any]
STATE = "State is written by runs alone"


@pytest.fixture
async def talked(sdk: LangGraphClient) -> str:
    """A thread with two turns."""
    thread = (await sdk.threads.create())["thread_id"]
    for text in ("first", "second"):
        await sdk.runs.wait(thread, "support", input=said(text))
    return thread


async def test_a_past_state_is_read_by_its_id_in_both_forms(sdk: LangGraphClient, talked: str) -> None:
    history: Any = await sdk.threads.get_history(talked, limit=20)
    past = next(state for state in history if contents(state["values"])[-1:] == ["You said: first"])

    by_id: Any = await sdk.threads.get_state(talked, checkpoint_id=past["checkpoint_id"])
    by_checkpoint: Any = await sdk.threads.get_state(talked, checkpoint=past["checkpoint"])

    assert past == by_id == by_checkpoint
    now: Any = await sdk.threads.get_state(talked)
    assert contents(now["values"])[-1] == "You said: second"
    here: Any = {"thread_id": talked}
    assert now == await sdk.threads.get_state(talked, checkpoint=here)


async def test_past_states_show_customers_what_the_newest_shows_them(
    live: Live, sdk: LangGraphClient, talked: str
) -> None:
    here = (await sdk.threads.get_state(talked))["checkpoint"]
    seen: Any = await sdk.threads.get_state(talked, checkpoint=here)
    staff: Any = await live.sdk(await live.agent()).threads.get_state(talked, checkpoint=here)
    assert {"messages", "stage"} == set(seen["values"])
    assert "second" == staff["values"]["private"]


async def test_a_checkpoint_of_another_thread_and_one_that_is_not_there_look_alike(
    live: Live, sdk: LangGraphClient, talked: str
) -> None:
    mine: Any = (await sdk.threads.get_state(talked))["checkpoint"]
    stranger = live.sdk(await live.customer())
    theirs = (await stranger.threads.create())["thread_id"]
    told = set()
    named: list[Any] = [
        {**mine, "thread_id": theirs},
        {**mine, "checkpoint_id": new_id()},
        {**mine, "checkpoint_id": "no-id"},
        {**mine, "checkpoint_ns": "elsewhere"},
    ]
    for checkpoint in named:
        with pytest.raises(NotFoundError) as refused:
            await sdk.threads.get_state(talked, checkpoint=checkpoint)
        told.add(refused.value.response.json()["detail"])
    with pytest.raises(NotFoundError) as refused:
        await stranger.threads.get_state(theirs, checkpoint_id=mine["checkpoint_id"])
    assert {"There is no such checkpoint."} == told | {refused.value.response.json()["detail"]}


async def test_history_goes_back_before_a_checkpoint_and_by_metadata(sdk: LangGraphClient, talked: str) -> None:
    whole: Any = await sdk.threads.get_history(talked, limit=50)
    [run, _] = [one["run_id"] for one in await sdk.runs.list(talked)]

    of_run: Any = await sdk.threads.get_history(talked, limit=50, metadata={"run_id": run})
    inputs: Any = await sdk.threads.get_history(talked, limit=50, metadata={"source": "input"})
    before: Any = await sdk.threads.get_history(talked, limit=50, before=whole[2]["checkpoint"])
    one: Any = await sdk.threads.get_history(talked, checkpoint=whole[3]["checkpoint"])

    assert [state for state in whole if state["metadata"]["run_id"] == run] == of_run
    assert 0 < len(of_run) < len(whole)
    assert 2 == len(inputs)
    assert whole[3:] == before
    assert whole[3:4] == one


async def test_remote_graph_reads_state_and_history(live: Live, token: str, talked: str) -> None:
    config: Any = {"configurable": {"thread_id": talked}}
    async with remote_graph(live, token) as remote:
        now = await remote.aget_state(config)
        history = [state async for state in remote.aget_state_history(config, limit=3)]
        older = [state async for state in remote.aget_state_history(config, before=history[0].config, limit=1)]
        assert now == history[0] == await remote.aget_state(now.config)
        assert older == history[1:2]
        assert "speak" in (await remote.aget_graph()).nodes


@pytest.mark.parametrize("role", ["customer", "agent", "admin"])
@pytest.mark.parametrize(
    "body", [{"values": {"stage": "success"}}, {"values": None, "as_node": "__copy__"}, {"values": {}}, {"lc": 1}]
)
async def test_state_is_written_by_nobody_and_the_refusal_says_why(
    live: Live, token: str, talked: str, role: str, body: Json
) -> None:
    before = await live.sdk(token).threads.get_history(talked, limit=50)
    caller = token if role == "customer" else await live.agent(role=role)
    async with live.http(caller) as http:
        refused = await http.post(f"/threads/{talked}/state", json=body)
    assert (403, "state_is_ours") == (refused.status_code, refused.json()["code"])
    assert STATE in refused.json()["detail"]
    assert before == await live.sdk(token).threads.get_history(talked, limit=50)


async def test_the_sdk_and_remote_graph_are_told_that_state_is_not_theirs(
    live: Live, token: str, sdk: LangGraphClient, talked: str
) -> None:
    with pytest.raises(PermissionDeniedError, match=STATE):
        await sdk.threads.update_state(talked, {"stage": "success"})
    async with remote_graph(live, token) as remote:
        with pytest.raises(PermissionDeniedError, match=STATE):
            await remote.aupdate_state({"configurable": {"thread_id": talked}}, {"stage": "success"})


async def test_the_description_promises_no_success_where_there_is_none(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    responses = paths["/threads/{thread_id}/state"]["post"]["responses"]
    assert [] == [status for status in responses if status < "400"]
    assert {"application/problem+json"} == set(responses["403"]["content"])


async def test_threads_are_counted_and_searches_tell_how_many_there_are(
    live: Live, sdk: LangGraphClient, client: httpx.AsyncClient
) -> None:
    await live.sdk(await live.customer()).threads.create(metadata={"page": "billing"})
    made = [(await sdk.threads.create(metadata={"page": page}))["thread_id"] for page in ("billing", "home", "billing")]

    assert 3 == await sdk.threads.count()
    assert 2 == await sdk.threads.count(metadata={"page": "billing"})
    assert 0 == await sdk.threads.count(status="busy")
    assert 3 == await live.sdk(await live.agent()).threads.count(metadata={"page": "billing"})
    found = await client.post("/threads/search", json={"metadata": {"page": "billing"}, "limit": 1})
    assert ("2", 1) == (found.headers["x-pagination-total"], len(found.json()))
    oldest = await sdk.threads.search(sort_by="created_at", sort_order="asc", limit=2)
    assert made[:2] == [one["thread_id"] for one in oldest]
    assert made[1:2] == [one["thread_id"] for one in await sdk.threads.search(ids=[made[1], new_id()])]


async def test_a_search_in_the_values_is_refused_rather_than_left_out(sdk: LangGraphClient) -> None:
    with pytest.raises(UnprocessableEntityError, match="State is sealed"):
        await sdk.threads.search(values={"stage": "resolve"})
    with pytest.raises(UnprocessableEntityError, match="State is sealed"):
        await sdk.threads.count(values={"stage": "resolve"})


async def test_assistants_are_counted_have_one_version_and_no_subgraphs(sdk: LangGraphClient) -> None:
    [assistant] = await sdk.assistants.search(metadata={"created_by": "system"})
    name = assistant["assistant_id"]
    assert 1 == await sdk.assistants.count(graph_id="support")
    assert 1 == await sdk.assistants.count(name="SUPP")
    assert 0 == await sdk.assistants.count(metadata={"created_by": "somebody"})
    assert [] == await sdk.assistants.search(metadata={"created_by": "somebody"})
    assert [1] == [one["version"] for one in await sdk.assistants.get_versions(name)]
    assert [] == await sdk.assistants.get_versions(name, offset=1)
    assert {} == await sdk.assistants.get_subgraphs(name)
    with pytest.raises(NotFoundError):
        await sdk.assistants.get_versions(new_id())


async def test_a_page_that_is_named_reaches_a_server_at_home(settings: Settings, ledger: Ledger) -> None:
    """Studio's, before it asks a machine that is not on the web."""
    here = settings.model_copy(update={"cors_origins": "https://smith.langchain.com"})
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}
    async with serving(here, ledger) as live, live.http() as http:
        named = await http.options("/threads", headers={"Origin": "https://smith.langchain.com", **asked})
        stranger = await http.options("/threads", headers={"Origin": "https://evil.example.com", **asked})
    assert "true" == named.headers["Access-Control-Allow-Private-Network"]
    assert "Access-Control-Allow-Origin" not in stranger.headers
