"""Health, metrics, the documentation of the API, and the page."""

import re
from typing import Any

import httpx
import pytest

from server.routes.page import STATIC
from server.runs.lease import lease
from server.runs.payload import BUTTONS, handover
from tests.server.conftest import Live
from tests.server.sse import all_of

REFUSALS = {
    "GET /healthz": {"200", "429", "503"},
    "GET /metrics": {"200", "401", "403", "429", "503"},
    "POST /threads/{thread_id}/state": {"401", "403", "404", "409", "413", "422", "429", "503"},
    "POST /sessions": {"200", "400", "401", "404", "409", "413", "422", "429", "503"},
    "GET /receipts/{number}": {"200", "401", "403", "404", "422", "429", "503"},
    "POST /webhooks/stripe": {"200", "400", "409", "413", "422", "429", "503"},
    "GET /demo/inbox": {"200", "404", "422", "429", "503"},
}


async def test_a_healthy_server_says_so(client: httpx.AsyncClient) -> None:
    assert (await client.get("/ok")).json() == {"ok": True}
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    parts = {"ledger": "ok", "redis": "ok", "billing": "ok", "knowledge": "ok"}
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "parts": parts})


async def test_a_part_that_does_not_answer_is_named_and_nothing_more(live: Live, client: httpx.AsyncClient) -> None:
    live.outside.answers = False
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["billing"] == "failed"
    assert ready.json()["parts"]["ledger"] == "ok"
    assert "10.0.0.7" not in ready.text


async def test_requests_and_runs_are_counted(live: Live, client: httpx.AsyncClient) -> None:
    await all_of(client, "POST", "/chat", json={"message": "hello"})
    await client.get("/nowhere")
    await client.get("/threads/11111111-1111-4111-8111-111111111111/state")
    shown = await live.metrics()
    assert 'counterfoil_http_requests_total{method="POST",route="/chat",status="200"} 1.0' in shown
    assert 'counterfoil_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in shown
    assert 'counterfoil_http_requests_total{method="GET",route="/threads/{thread_id}/state",status="404"} 1.0' in shown
    assert 'counterfoil_runs_total{status="success"} 1.0' in shown
    assert "counterfoil_open_streams 0.0" in shown
    assert 'counterfoil_refused_total{code="not_found"} 2.0' in shown


async def test_how_long_a_customer_waits_is_measured(live: Live, client: httpx.AsyncClient) -> None:
    thread = (await client.post("/threads", json={})).json()["thread_id"]
    body = {"message": "slowly now", "thread_id": thread}
    events = await all_of(client, "POST", "/chat", json=body)
    run = next(event.data for event in events if event.event == "metadata")["run_id"]
    headers = {"Last-Event-ID": "-1"}
    await all_of(client, "GET", f"/threads/{thread}/runs/{run}/stream", headers=headers)
    shown = await live.metrics()
    for name in ("first_event_seconds", "first_token_seconds", "run_wait_seconds", "run_seconds"):
        assert f"counterfoil_{name}_count 1.0" in shown
    assert 'counterfoil_node_seconds_count{node="speak"} 1.0' in shown
    assert "counterfoil_replays_total 1.0" in shown
    assert 'counterfoil_unfinished_runs{status="pending"} 0.0' in shown


async def test_runs_that_wait_are_counted_for_all_servers(live: Live) -> None:
    ledger = live.services.ledger
    await ledger.create_thread("t", "somebody", {})
    async with lease(live.services.plugs.redis, "t"):
        await ledger.create_run("waits", "t", "support", handover("asked for a person"))
        assert 'counterfoil_unfinished_runs{status="pending"} 1.0' in await live.metrics()


async def test_events_that_are_gone_are_counted(live: Live, client: httpx.AsyncClient) -> None:
    thread = (await client.post("/threads", json={})).json()["thread_id"]
    events = await all_of(client, "POST", "/chat", json={"message": "hello", "thread_id": thread})
    run = next(event.data for event in events if event.event == "metadata")["run_id"]
    await live.services.events.delete(thread)
    await live.services.events.append(thread, run, [("values", "{}"), ("end", "null")])
    headers = {"Last-Event-ID": events[0].id or ""}
    await all_of(client, "GET", f"/threads/{thread}/runs/{run}/stream", headers=headers)
    shown = await live.metrics()
    assert "counterfoil_gaps_total 1.0" in shown


@pytest.mark.parametrize(("state", "level"), [("closed", 0), ("half_open", 1), ("open", 2)])
async def test_the_breaker_before_stripe_is_shown(live: Live, state: str, level: int) -> None:
    live.outside.breaker_state = state
    assert f"counterfoil_stripe_breaker {level}.0" in await live.metrics()


async def test_the_api_is_documented(client: httpx.AsyncClient) -> None:
    described: dict[str, Any] = (await client.get("/openapi.json")).json()
    for path in ("/chat", "/sessions", "/threads/{thread_id}/runs/stream", "/desk/actions/{action_id}/decision"):
        assert path in described["paths"]
    names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    refused = described["paths"]["/chat"]["post"]["responses"]["422"]["content"]
    assert set(refused) == {"application/problem+json"}


async def test_each_operation_names_the_refusals_that_it_can_answer_with(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    named = {label: set(paths[label.split()[1]][label.split()[0].lower()]["responses"]) for label in REFUSALS}
    assert REFUSALS == named
    problems = [paths["/chat"]["post"]["responses"][status]["content"] for status in ("401", "422")]
    assert all("application/problem+json" in content for content in problems)


async def test_the_page_has_no_script_but_its_own(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, flags=re.DOTALL)
    assert scripts == [(' src="/static/chat.js" type="module"', "")]
    assert not re.search(r"\son\w+=|style=|https?://", page.text)
    for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        assert (await client.get(name)).status_code == 200


async def test_the_page_can_be_used_without_seeing_it(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert 'role="log"' in page
    assert '<label for="message">' in page
    assert 'lang="en"' in page
    assert "automated assistant" in page


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.glob("*.js")))
def test_scripts_put_text_and_never_markup_into_the_page(name: str) -> None:
    script = (STATIC / name).read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_the_buttons_of_a_proposal_name_its_digest_and_say_what_the_transcript_keeps() -> None:
    script, page = ((STATIC / name).read_text() for name in ("proposals.js", "chat.js"))
    assert "door.press(data.id, data.digest, confirm)" in script
    assert f'confirm ? "{BUTTONS["yes"]}" : "{BUTTONS["no"]}"' in page


async def test_a_request_id_is_kept_or_made(client: httpx.AsyncClient) -> None:
    kept = await client.get("/ok", headers={"X-Request-ID": "abcdefgh-1"})
    made = await client.get("/ok", headers={"X-Request-ID": "no\tgood"})
    assert kept.headers["x-request-id"] == "abcdefgh-1"
    assert re.fullmatch(r"[0-9a-f-]{36}", made.headers["x-request-id"])
