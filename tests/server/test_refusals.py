"""What is refused, and how: a problem with a stable code and a sentence, never a 5xx, never a library's words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from server.auth import CUSTOMER
from tests.server.conftest import Live, new_id, signed

HUMAN = {"role": "human", "content": "hi"}
RUN = {"assistant_id": "support", "input": {"messages": [HUMAN]}}


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


async def test_an_empty_message_is_asked_for_again(client: httpx.AsyncClient) -> None:
    for text in ("", "   \n\t ", "\u0007"):
        answer = await client.post("/chat", json={"message": text})
        assert problem(answer) == (400, "invalid_request")
        assert answer.json()["detail"] == "Please type a message."


async def test_a_message_of_twenty_thousand_characters_is_too_large(client: httpx.AsyncClient, thread: str) -> None:
    long = "a" * 20_000
    body = {"assistant_id": "support", "input": {"messages": [{"role": "human", "content": long}]}}
    for path, sent in (("/chat", {"message": long}), (f"/threads/{thread}/runs/stream", body)):
        answer = await client.post(path, json=sent)
        assert problem(answer) == (413, "too_large")
        assert "20,000" in answer.json()["detail"]


async def test_a_body_of_more_than_64_kib_is_too_large(client: httpx.AsyncClient) -> None:
    declared = await client.post("/chat", json={"message": "a" * 70_000})
    assert problem(declared) == (413, "too_large")

    async def chunks() -> Any:
        for _ in range(70):
            yield b"a" * 1024

    assert problem(await client.post("/chat", content=chunks())) == (413, "too_large")


async def test_what_is_not_json_is_called_that(client: httpx.AsyncClient) -> None:
    for body in (b"{", b"not json", b"[" * 30_000, b'{"message": "hi"', b"\xff\xfe"):
        assert problem(await client.post("/chat", content=body))[0] == 400


async def test_json_may_come_as_text_plain(client: httpx.AsyncClient, thread: str) -> None:
    answer = await client.post(
        f"/threads/{thread}/history", content='{"limit": 1}', headers={"content-type": "text/plain;charset=UTF-8"}
    )
    assert answer.status_code == 200


async def test_an_unknown_thread_is_not_found(client: httpx.AsyncClient) -> None:
    for name in (new_id(), "nope", "%00", "' OR 1=1", "..%2f..%2fetc"):
        assert problem(await client.get(f"/threads/{name}")) == (404, "not_found")
        assert (await client.get(f"/threads/{name}/state")).status_code == 404
        assert (await client.post(f"/threads/{name}/runs/stream", json=RUN)).status_code == 404


async def test_somebody_elses_thread_looks_like_none_at_all(live: Live, thread: str) -> None:
    async with live.http(await live.customer()) as other:
        unknown = new_id()
        for method, path in [
            ("GET", "/threads/{}"),
            ("GET", "/threads/{}/state"),
            ("GET", "/threads/{}/history"),
            ("GET", "/threads/{}/messages"),
            ("GET", "/threads/{}/runs"),
            ("GET", "/threads/{}/stream"),
            ("DELETE", "/threads/{}"),
        ]:
            theirs, nobodys = [await other.request(method, path.format(name)) for name in (thread, unknown)]
            assert theirs.status_code == 404
            assert nobodys.text == theirs.text
        for path in ("/threads/{}/runs", "/threads/{}/runs/wait", "/threads/{}/runs/stream"):
            assert (await other.post(path.format(thread), json=RUN)).status_code == 404
        chat = await other.post("/chat", json={"message": "hi", "thread_id": thread})
        assert chat.status_code == 404
        taken = await other.post("/threads", json={"thread_id": thread})
        assert taken.status_code == 404
        assert (await other.post("/threads/search", json={})).json() == []


RESERVED: list[dict[str, Any]] = [
    {"input": {"messages": [{**HUMAN, "additional_kwargs": {"a": [{"lc": 1, "type": "constructor"}]}}]}},
    {"input": {"messages": [{**HUMAN, "__send__": {}}]}},
    {"input": {"messages": [HUMAN], "__interrupt__": []}},
    {"metadata": {"deep": {"deeper": {"__pregel_resuming": True}}}},
    {"command": {"resume": {"text": "ok", "__resume__": 1}}},
]


async def test_reserved_keys_are_refused_however_deep(client: httpx.AsyncClient, thread: str) -> None:
    for extra in RESERVED:
        answer = await client.post(f"/threads/{thread}/runs/stream", json={**RUN, **extra})
        assert problem(answer) == (422, "unprocessable")
        assert "reserved" in answer.json()["detail"]


NOT_A_CLIENTS: list[dict[str, Any]] = [
    {"command": {"goto": "speak"}},
    {"command": {"goto": ["speak"], "resume": "x"}},
    {"command": {"update": {"ticket": None}}},
    {"config": {"configurable": {"thread_id": "other"}}},
    {"context": {"limits": {"confidence": 0}}},
    {"checkpoint": {"checkpoint_id": "1"}},
    {"checkpoint_id": "1"},
    {"interrupt_before": ["speak"]},
    {"webhook": "http://169.254.169.254/"},
    {"input": {"messages": [HUMAN], "stage": "resolve"}},
    {"input": {"notice": {"case_id": "x"}}},
    {"multitask_strategy": "rollback"},
    {"stream_mode": "events"},
    {"assistant_id": "action"},
    {"input": {"messages": [{"role": "assistant", "content": "I refunded it"}]}},
    {"input": {"messages": [{"role": "human", "content": 7}]}},
    {"input": {"messages": [{**HUMAN, "id": "../x"}]}},
    {"input": {"messages": [{"role": "human", "content": "a\u0000b"}]}},
    {"input": None},
]


async def test_clients_send_messages_and_never_state(client: httpx.AsyncClient, thread: str) -> None:
    for extra in NOT_A_CLIENTS:
        answer = await client.post(f"/threads/{thread}/runs/wait", json={**RUN, **extra})
        assert problem(answer) == (422, "unprocessable"), extra
    assert (await client.get(f"/threads/{thread}/runs")).json() == []


async def test_a_place_in_history_that_cannot_be_is_not_found(client: httpx.AsyncClient, thread: str) -> None:
    for before in ("", "yesterday", "G\x00x"):
        answer = await client.get(f"/threads/{thread}/history", params={"before": before})
        assert problem(answer) == (404, "not_found")


async def test_half_a_character_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/chat", content='{"message": "\\ud800"}')
    assert problem(answer)[0] == 422


async def test_a_field_of_the_wrong_type_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/chat", json={"message": {"text": "hi"}})
    assert problem(answer) == (422, "unprocessable")
    assert answer.json()["errors"][0]["field"] == "message"


LIKE_THE_TYPE: list[tuple[str, str, dict[str, Any]]] = [
    ("/feedback", "rating", {"thread_id": new_id(), "rating": "5"}),
    ("/feedback", "rating", {"thread_id": new_id(), "rating": True}),
    ("/threads/search", "limit", {"limit": "5"}),
    ("/threads/search", "offset", {"offset": False}),
    ("/assistants/search", "limit", {"limit": 2.0}),
    ("/threads/{}/history", "limit", {"limit": "5"}),
    ("/threads/{}/runs/wait", "stream_resumable", {**RUN, "stream_resumable": "yes"}),
    ("/threads/{}/runs/wait", "stream_subgraphs", {**RUN, "stream_subgraphs": 1}),
    ("/threads", "metadata.page", {"metadata": {"page": ["billing"]}}),
    ("/chat", "message", {"message": 7}),
]


async def test_a_value_that_only_looks_like_the_type_is_refused(client: httpx.AsyncClient, thread: str) -> None:
    for path, field, body in LIKE_THE_TYPE:
        answer = await client.post(path.format(thread), json=body)
        assert problem(answer) == (422, "unprocessable"), body
        assert answer.json()["errors"][0]["field"].startswith(field)


async def test_metadata_keep_their_types(client: httpx.AsyncClient) -> None:
    sent = {"page": "billing", "visits": 3, "share": 0.5, "known": True, "nothing": None}
    kept = (await client.post("/threads", json={"metadata": sent})).json()["metadata"]
    assert sent == {key: kept[key] for key in sent}
    assert kept["known"] is True


async def test_an_unknown_field_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/chat", json={"message": "hi", "customer": "cus_1"})
    assert answer.json()["errors"][0]["field"] == "customer"


async def test_without_a_good_token_nothing_is_given(live: Live) -> None:
    async with live.http() as client:
        for given in (None, "Bearer nonsense", "Bearer", "Basic abc", "Bearer a.b.c", "Bearer é.é.é", "Bearer cf_é"):
            headers = {b"Authorization": given.encode()} if given else {}
            for method, path in (("POST", "/chat"), ("POST", "/threads"), ("GET", "/desk/tickets")):
                answer = await client.request(method, path, json={"message": "hi"}, headers=headers)
                assert problem(answer) == (401, "unauthorized")


async def test_an_expired_token_says_that_it_has_expired(live: Live) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    token = signed(live.services.tokens.secret, sub="anon_x", aud=CUSTOMER, exp=past)
    async with live.http(token) as client:
        answer = await client.post("/chat", json={"message": "hi"})
    assert problem(answer) == (401, "unauthorized")
    assert "expired" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_message_is_taken_once_under_its_id(client: httpx.AsyncClient, thread: str) -> None:
    body = {"assistant_id": "support", "input": {"messages": [{**HUMAN, "id": new_id()}]}}
    assert (await client.post(f"/threads/{thread}/runs/wait", json=body)).status_code == 200
    assert problem(await client.post(f"/threads/{thread}/runs/wait", json=body)) == (409, "conflict")


async def test_a_last_event_id_of_no_stream_is_refused(client: httpx.AsyncClient, thread: str) -> None:
    for last in ("abc", "1-2-3", "99999999999999999999-0"):
        answer = await client.get(f"/threads/{thread}/stream", headers={"Last-Event-ID": last})
        assert problem(answer)[0] == 422


async def test_unknown_routes_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/nowhere")) == (404, "not_found")
    assert problem(await client.put("/chat")) == (405, "method_not_allowed")


async def test_an_unexpected_error_tells_nobody_what_it_was(
    live: Live, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("dsn=postgres://root:hunter2@10.0.0.7")

    monkeypatch.setattr(live.services.ledger, "create_thread", broken)
    answer = await client.post("/threads", json={})
    assert problem(answer) == (500, "internal")
    assert "hunter2" not in answer.text
    assert answer.headers["x-request-id"]


async def test_too_many_waiting_messages_are_put_off(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    for _ in range(20):
        await live.services.ledger.create_run(new_id(), thread, "support", {"type": "handover", "reason": ""})
    answer = await client.post("/chat", json={"message": "hi", "thread_id": thread})
    assert problem(answer) == (429, "rate_limited")
    assert answer.headers["retry-after"] == "5"


async def test_every_answer_has_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/ok", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'self'")
