"""The desk's list of what customers were told."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.server.conftest import Live
from tools.ledger.ledger import Ledger


async def listed(live: Live, **asked: Any) -> list[dict[str, Any]]:
    async with live.http(await live.agent("Ana")) as client:
        answer = await client.get("/desk/promises", params=asked)
        assert 200 == answer.status_code
        return list(answer.json())


async def promised(ledger: Ledger, text: str, **until: float) -> str:
    due = datetime.now(UTC) + timedelta(**until)
    return (await ledger.promise("thread", "callback", text, due)).id


async def test_overdue_ones_come_newest_first(live: Live, ledger: Ledger) -> None:
    old, new = await promised(ledger, "old", days=-3), await promised(ledger, "new", days=-1)
    await promised(ledger, "to come", days=1)
    await ledger.keep_promise(await promised(ledger, "kept", days=-2))
    await ledger.drop_promise(await promised(ledger, "dropped", days=-2))

    found = await listed(live, overdue=True)

    assert [new, old] == [one["id"] for one in found]
    assert found[0] | {"due": "", "overdue_since": "", "seen_overdue_at": ""} == {
        "id": new,
        "thread_id": "thread",
        "action_id": None,
        "kind": "callback",
        "text": "new",
        "due": "",
        "overdue_since": "",
        "seen_overdue_at": "",
    }
    assert found[0]["due"] == found[0]["overdue_since"]


async def test_what_is_to_come_comes_soonest_first(live: Live, ledger: Ledger) -> None:
    later, soon = await promised(ledger, "later", days=30), await promised(ledger, "soon", days=1)
    await promised(ledger, "old", days=-3)

    found = await listed(live, overdue=False)

    assert [(soon, None), (later, None)] == [(one["id"], one["overdue_since"]) for one in found]
    assert [soon] == [one["id"] for one in await listed(live, overdue=False, limit=1)]


async def test_a_running_server_sees_by_itself_what_is_overdue(live: Live, ledger: Ledger) -> None:
    await promised(ledger, "old", days=-3)

    async with asyncio.timeout(20):
        while not (await listed(live))[0]["seen_overdue_at"]:  # noqa: ASYNC110 - the sweep has no event for it
            await asyncio.sleep(0.1)


async def test_customers_do_not_see_it(client: httpx.AsyncClient) -> None:
    assert 403 == (await client.get("/desk/promises")).status_code
