"""Machines: what their keys open and nothing more, how they age, and that they end on the ninetieth day."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.server.conftest import Live
from tools.errors import Unavailable
from tools.ledger.ledger import Ledger
from tools.ledger.service_keys import SCOPES, ServiceKey

SECOND = timedelta(seconds=1)


async def made(ledger: Ledger, *scopes: str, age: timedelta = timedelta(0)) -> tuple[ServiceKey, str]:
    """As somebody made it that long ago."""
    then = Ledger(ledger._database, lambda: datetime.now(UTC) - age)
    key, text = await then.create_service_key("prometheus", scopes or SCOPES, actor="cli:sam")
    return key, str(text)


async def asked(live: Live, key: str, path: str = "/metrics") -> httpx.Response:
    async with live.http(key) as client:
        return await client.get(path)


@pytest.fixture
async def key(live: Live) -> str:
    return (await made(live.services.ledger, "metrics"))[1]


async def test_metrics_are_not_for_everybody(live: Live, token: str, key: str) -> None:
    codes = [(await asked(live, given)).status_code for given in (token, await live.agent("Kim", "agent"), key)]
    async with live.http() as nobody:
        assert 401 == (await nobody.get("/metrics")).status_code
    assert [403, 403, 200] == codes


async def test_what_is_shown_is_what_prometheus_reads(live: Live, key: str) -> None:
    shown = await asked(live, key)
    assert shown.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE counterfoil_http_requests_total counter" in shown.text


async def test_a_key_reads_the_desk_only_with_the_scope_for_it(live: Live, key: str) -> None:
    _, reader = await made(live.services.ledger, "desk:read")
    assert [200, 403] == [(await asked(live, reader, path)).status_code for path in ("/desk/tickets", "/metrics")]
    refused = await asked(live, key, "/desk/tickets")
    assert (403, "forbidden") == (refused.status_code, refused.json()["code"])
    async with live.http(reader) as machine:
        said = {"on": False, "reason": "because"}
        assert 403 == (await machine.post("/desk/switches/automatic", json=said)).status_code
        assert 403 == (await machine.post("/chat", json={"message": "hi"})).status_code
        assert 403 == (await machine.post("/threads/search", json={})).status_code
    assert await live.services.ledger.switch("automatic") is None


@pytest.mark.parametrize(
    ("age", "status", "warned"),
    [
        (timedelta(0), 200, False),
        (timedelta(days=80) - timedelta(minutes=1), 200, False),
        (timedelta(days=80), 200, True),
        (timedelta(days=90) - timedelta(minutes=1), 200, True),
        (timedelta(days=90), 401, False),
        (timedelta(days=91), 401, False),
    ],
)
async def test_a_key_says_from_day_80_that_it_ends_and_ends_on_day_90(
    live: Live, capsys: pytest.CaptureFixture[str], age: timedelta, status: int, warned: bool
) -> None:
    key, text = await made(live.services.ledger, age=age)
    answers = [await asked(live, text, path) for path in ("/metrics", "/desk/tickets")]
    assert {status} == {answer.status_code for answer in answers}
    ends = f"{key.expires:%Y-%m-%d}" if warned else None
    assert {ends} == {answer.headers.get("counterfoil-key-expires") for answer in answers}
    assert warned == ("service_key.ageing" in capsys.readouterr().out)
    if status == 401:
        assert f"expired on {key.expires:%Y-%m-%d}" in answers[0].json()["detail"]


async def test_a_key_that_is_revoked_changed_or_made_up_opens_nothing(live: Live, key: str) -> None:
    ledger = live.services.ledger
    good, _ = await made(ledger)
    other, text = await made(ledger)
    secret = key.split("_", 2)[2]
    swapped, unknown = f"cf_{good.id}_{secret}", f"cf_{'0' * 12}_{secret}"
    assert 200 == (await asked(live, text)).status_code
    await ledger.revoke_service_key(other.id, actor="cli:sam")
    for given in (text, swapped, unknown, key[:-1], f"{key}x", key.upper()):
        refused = await asked(live, given)
        assert (401, "unauthorized") == (refused.status_code, refused.json()["code"]), given


async def test_its_use_is_noted_and_a_ledger_that_cannot_note_it_refuses_nobody(
    live: Live, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_key: ServiceKey) -> None:
        raise Unavailable

    assert 200 == (await asked(live, key)).status_code
    [kept] = await live.services.ledger.service_keys()
    assert kept.last_used is not None
    monkeypatch.setattr(live.services.ledger, "note_key_use", away)
    assert 200 == (await asked(live, key)).status_code


async def test_a_ledger_that_does_not_answer_lets_no_machine_in(
    live: Live, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_key: str) -> None:
        raise Unavailable

    monkeypatch.setattr(live.services.ledger, "service_key", away)
    assert 503 == (await asked(live, key)).status_code
