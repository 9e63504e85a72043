"""Whatever Stripe is asked, the audit log says for whom: a request that stands nowhere is a failure."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.server.conftest import Live
from tests.server.whole import Person, signed_in, whole_server, whole_settings
from tools.billing.transport import HttpxTransport


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What really left, before anybody takes note of it."""
    requests: Counter[str] = Counter()

    class Counting(HttpxTransport):
        async def request_async(
            self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
        ) -> tuple[bytes, int, Mapping[str, str]]:
            requests[f"{method.upper()} {urlsplit(url).path}"] += 1
            return await super().request_async(method, url, headers, post_data)

    monkeypatch.setattr("tools.billing.stripe_billing.HttpxTransport", Counting)
    return requests


@pytest.fixture
async def server(
    sent: Counter[str], trained: Path, sandbox: Sandbox, redis_url: str, tmp_path: Path
) -> AsyncIterator[Live]:
    settings = whole_settings(trained, sandbox, redis_url, f"sqlite:///{tmp_path / 'ledger.db'}")
    async with whole_server(settings) as live:
        yield live


async def recorded(live: Live) -> tuple[Counter[str], list[dict[str, Any]]]:
    entries = await live.services.ledger.audit_entries(limit=10_000)
    data = [entry.data for entry in entries if entry.event == "stripe.called"]
    return Counter(f"{call['method']} {call['path']}" for one in data for call in one["calls"]), data


async def test_every_request_of_a_refund_is_on_record(server: Live, sent: Counter[str]) -> None:
    ada = await signed_in([server], "ada@example.com")
    sent.clear()  # the test's own look-up

    await ada.says("i was charged twice this month")
    done = await ada.presses(await ada.card())

    assert "CF-" in done["text"]
    found, entries = await recorded(server)
    assert sent == found
    assert 1 == sent["POST /v1/refunds"]
    [refund] = [one for one in entries if any(call["path"] == "/v1/refunds" for call in one["calls"] if call["key"])]
    assert refund["case"] == (await ada.card())["id"]
    assert all(call["request"].startswith("req_") and call["status"] == 200 for call in refund["calls"])


async def test_every_request_of_an_approval_is_on_record(server: Live, sent: Counter[str]) -> None:
    grace = await signed_in([server], "grace@example.com")
    sent.clear()
    await grace.says("I'd like a refund for the annual plan I bought last week")
    card = await grace.card()
    await grace.presses(card)

    async with server.http(await server.agent("ana")) as desk:
        said = {"digest": card["digest"], "approve": True, "reason": "Bought by mistake."}
        assert 200 == (await desk.post(f"/desk/actions/{card['id']}/decision", json=said)).status_code

    assert "POST /v1/refunds" in sent
    assert sent == (await recorded(server))[0]


async def test_every_request_that_a_code_leads_to_is_on_record(
    server: Live, sandbox: Sandbox, sent: Counter[str]
) -> None:
    """At the door, before there is a run: who is it that proved this address?"""
    token = await server.customer()
    async with server.http(token) as http:
        thread = (await http.post("/threads", json={})).json()["thread_id"]
    alan = Person(token, thread, [server])
    await alan.says("show me my invoices")
    await alan.says("alan@example.com")
    [mail] = sandbox.http.get("/_sandbox/inbox", params={"email": "alan@example.com"}).json()
    [code] = re.findall(r"\b\d{6}\b", mail["text"])

    assert "invoices" in await alan.says(code)

    found, entries = await recorded(server)
    assert sent == found
    assert {thread} == {entry["thread"] for entry in entries}


async def test_no_address_is_on_record(server: Live) -> None:
    ada = await signed_in([server], "ada@example.com")
    await ada.says("show me my invoices")

    entries = await server.services.ledger.audit_entries(limit=10_000)
    assert [] == [entry for entry in entries if "@" in str(entry.data)]
