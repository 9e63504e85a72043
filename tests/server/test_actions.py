"""A customer's buttons, at the door: whose action it is, one run for one answer, and what can be taken back."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from server import pressing
from server.threads import assistant_id
from tests.server.conftest import Live, new_id
from tests.server.deeds import action_in, proposed_action, waiting_action
from tools.errors import NotSent
from tools.ledger.types import Action, ActionState
from tools.money import Money

URL = "https://billing.example.com/p/session/secret-of-stripe"


async def answer(client: httpx.AsyncClient, action: Action, *, confirm: bool = True, **more: Any) -> httpx.Response:
    body = {"digest": action.digest, "confirm": confirm} | more
    return await client.post(f"/actions/{action.id}/confirmation", json=body)


async def joined(client: httpx.AsyncClient, run: httpx.Response) -> str:
    assert 202 == run.status_code, run.text
    await client.get(f"/threads/{run.json()['thread_id']}/runs/{run.json()['run_id']}/join")
    return str(run.json()["run_id"])


async def test_a_customer_sees_their_action_and_nothing_of_how_it_was_weighed(
    live: Live, client: httpx.AsyncClient, thread: str
) -> None:
    action = await proposed_action(live.services.ledger, thread)
    seen = (await client.get(f"/actions/{action.id}")).json()
    assert ("refund", 4999, "usd", "proposed", action.digest) == tuple(
        seen[name] for name in ("kind", "amount", "currency", "state", "digest")
    )
    assert not {"evidence", "rule", "policy_version", "outcome", "proposer"} & set(seen)


async def test_somebody_elses_action_looks_like_none_at_all(live: Live, thread: str) -> None:
    action = await proposed_action(live.services.ledger, thread)
    bodies = {"confirmation": {"digest": action.digest, "confirm": True}, "withdrawal": {"digest": action.digest}}
    async with live.http(await live.customer()) as other, live.http(await live.agent()) as desk:
        for name in (action.id, new_id(), "nope"):
            answers = [await other.get(f"/actions/{name}"), await other.post(f"/actions/{name}/link")]
            answers += [await other.post(f"/actions/{name}/{path}", json=body) for path, body in bodies.items()]
            assert {(404, "There is no such action.")} == {(one.status_code, one.json()["detail"]) for one in answers}
        assert 403 == (await desk.post(f"/actions/{action.id}/confirmation", json=bodies["confirmation"])).status_code
    kept = await live.services.ledger.action(action.id)
    assert kept == action


async def test_an_action_is_hidden_from_who_signed_in_on_the_thread_as_somebody_else(
    live: Live, client: httpx.AsyncClient, thread: str
) -> None:
    ledger = live.services.ledger
    action = await proposed_action(ledger, thread)
    receipt = await ledger.issue_receipt((await action_in(ledger, thread, "succeeded", target="ch_9")).id, {})
    for customer, status in (("cus_1", 200), ("cus_2", 404)):
        await ledger.bind_identity(thread, level=2, email="a@b.example", customer=customer, ttl_seconds=600)
        assert status == (await client.get(f"/actions/{action.id}")).status_code
        assert status == (await client.get(f"/receipts/{receipt.number}")).status_code


async def test_a_button_is_a_line_of_the_conversation_and_one_run(
    live: Live, client: httpx.AsyncClient, thread: str
) -> None:
    ledger = live.services.ledger
    action = await proposed_action(ledger, thread)
    first = await answer(client, action)
    again = await answer(client, action)
    assert await joined(client, first) == await joined(client, again)
    await ledger.move_action(action.id, "confirmed", actor="customer")
    assert await joined(client, first) == await joined(client, await answer(client, action)), "long after"
    lines = (await client.get(f"/threads/{thread}/messages")).json()
    assert [("customer", "Yes, do it."), ("assistant", "You said: Yes, do it.")] == [
        (line["role"], line["text"]) for line in lines
    ]
    run = await ledger.run(first.json()["run_id"])
    assert run is not None
    assert ("customer_decision", action.id, action.digest, "yes") == tuple(
        run.payload[name] for name in ("type", "case_id", "digest", "answer")
    )
    assert 'counterfoil_decisions_total{decision="confirm",role="customer"} 1.0' in await live.metrics()


async def test_a_press_that_left_the_proposal_open_can_be_made_again(
    live: Live, client: httpx.AsyncClient, thread: str
) -> None:
    """The first one was answered with "prove who you are". The same run again would say nothing more."""
    action = await proposed_action(live.services.ledger, thread)
    first = await joined(client, await answer(client, action))
    second = await joined(client, await answer(client, action))
    assert first != second


async def test_yes_and_no_are_two_answers(live: Live, client: httpx.AsyncClient, thread: str) -> None:
    action = await proposed_action(live.services.ledger, thread)
    yes, no = (
        await joined(client, await answer(client, action)),
        await joined(client, await answer(client, action, confirm=False)),
    )
    assert yes != no


@pytest.mark.parametrize("confirm", ["yes", "true", 1, 0, None, "no"])
async def test_a_yes_is_true_and_nothing_like_it(
    live: Live, client: httpx.AsyncClient, thread: str, confirm: object
) -> None:
    action = await proposed_action(live.services.ledger, thread)
    path = f"/actions/{action.id}/confirmation"
    refused = await client.post(path, json={"digest": action.digest, "confirm": confirm})
    assert (422, "confirm") == (refused.status_code, refused.json()["errors"][0]["field"])
    for digest in ("", "0" * 63, "g" * 64, None):
        assert 422 == (await client.post(path, json={"digest": digest, "confirm": True})).status_code
    assert 422 == (await client.post(path, json={"digest": action.digest, "confirm": True, "amount": 1})).status_code
    assert [] == (await client.get(f"/threads/{thread}/runs")).json()


@pytest.mark.parametrize("state", ["proposed", "confirmed", "awaiting_approval", "approved"])
async def test_what_was_not_begun_can_be_taken_back_and_twice_is_once(
    live: Live, client: httpx.AsyncClient, thread: str, state: ActionState
) -> None:
    action = await action_in(live.services.ledger, thread, state)
    path = f"/actions/{action.id}/withdrawal"
    assert 409 == (await client.post(path, json={"digest": "0" * 64})).status_code
    answers = [await client.post(path, json={"digest": action.digest}) for _ in range(2)]
    assert [(200, "void")] * 2 == [(one.status_code, one.json()["state"]) for one in answers]
    assert 1 == len((await client.get(f"/threads/{thread}/runs")).json())


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("executing", "is being carried out right now"),
        ("unknown", "its outcome is being checked"),
        ("succeeded", "was carried out already"),
        ("declined", "has ended already"),
    ],
)
async def test_what_was_begun_cannot_be_taken_back_and_says_so(
    live: Live, client: httpx.AsyncClient, thread: str, state: ActionState, sentence: str
) -> None:
    action = await action_in(live.services.ledger, thread, state)
    refused = await client.post(f"/actions/{action.id}/withdrawal", json={"digest": action.digest})
    assert (409, "illegal_transition") == (refused.status_code, refused.json()["code"])
    assert sentence in refused.json()["detail"]
    assert state == (await client.get(f"/actions/{action.id}")).json()["state"]


class TestTheLink:
    """The way to Stripe's page for a new card."""

    @pytest.fixture
    async def agreed(self, live: Live, thread: str) -> Action:
        await self.bind(live, thread)
        nothing = Money(0, "usd")
        return await action_in(
            live.services.ledger, thread, "succeeded", kind="payment_method_link", target="cus_1", amount=nothing
        )

    async def bind(self, live: Live, thread: str, *, level: Any = 2, customer: str = "cus_1") -> None:
        await live.services.ledger.bind_identity(
            thread, level=level, email="a@b.example", customer=customer, ttl_seconds=600
        )

    async def test_it_is_given_once_and_kept_nowhere(
        self, live: Live, client: httpx.AsyncClient, agreed: Action, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given = await client.post(f"/actions/{agreed.id}/link")
        again = await client.post(f"/actions/{agreed.id}/link")
        assert (200, {"url": URL}, "no-store") == (given.status_code, given.json(), given.headers["cache-control"])
        assert (409, "conflict") == (again.status_code, again.json()["code"])
        [asked] = live.outside.links
        assert ("cus_1", "payment_method_update", f"{live.url}/") == (
            asked["customer"],
            asked["flow"],
            asked["return_url"],
        )
        entries = await live.services.ledger.audit_entries(limit=1000)
        assert 1 == sum(entry.event == "action.link_given" for entry in entries)
        kept = repr(entries) + capsys.readouterr().out + repr(await live.services.plugs.redis.keys("*"))
        assert "secret-of-stripe" not in kept

    async def test_it_wants_a_fresh_proof_of_who_is_there(
        self, live: Live, client: httpx.AsyncClient, thread: str, agreed: Action
    ) -> None:
        await self.bind(live, thread, level=1)
        refused = await client.post(f"/actions/{agreed.id}/link")
        assert (403, "proof_needed") == (refused.status_code, refused.json()["code"])
        await live.services.ledger.unbind_identity(thread)
        assert 403 == (await client.post(f"/actions/{agreed.id}/link")).status_code
        assert [] == live.outside.links
        await self.bind(live, thread)
        assert 200 == (await client.post(f"/actions/{agreed.id}/link")).status_code

    async def test_after_a_quarter_of_an_hour_it_has_to_be_asked_for_anew(
        self, live: Live, client: httpx.AsyncClient, agreed: Action, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pressing, "LINK_LIFE", datetime.now(UTC) - agreed.updated - timedelta(seconds=1))
        late = await client.post(f"/actions/{agreed.id}/link")
        assert (409, []) == (late.status_code, live.outside.links)
        assert re.search("Ask the assistant for a new one", late.json()["detail"])

    async def test_only_an_action_of_this_kind_has_one(
        self, live: Live, client: httpx.AsyncClient, thread: str, agreed: Action
    ) -> None:
        other = await action_in(live.services.ledger, thread, "succeeded", target="ch_3")
        assert (await client.get(f"/actions/{agreed.id}")).json()["state"] == "succeeded"
        waiting = await waiting_action(
            live.services.ledger, thread, kind="payment_method_link", target="cus_9", amount=Money(0, "usd")
        )
        assert 404 == (await client.post(f"/actions/{other.id}/link")).status_code
        assert 409 == (await client.post(f"/actions/{waiting.id}/link")).status_code
        assert [] == live.outside.links

    async def test_a_link_that_stripe_did_not_make_can_be_asked_for_again(
        self, live: Live, client: httpx.AsyncClient, agreed: Action
    ) -> None:
        live.outside.portal_fails = NotSent()
        down = await client.post(f"/actions/{agreed.id}/link")
        assert (503, "not_sent") == (down.status_code, down.json()["code"])
        live.outside.portal_fails = None
        assert 200 == (await client.post(f"/actions/{agreed.id}/link")).status_code


@pytest.fixture
async def desk(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with live.http(await live.agent()) as opened:
        yield opened


async def test_no_route_of_the_protocol_reaches_a_case(
    live: Live, client: httpx.AsyncClient, desk: httpx.AsyncClient, thread: str
) -> None:
    """A case's thread is none that a client can name; a thread of that id is a conversation like any other."""
    action = await waiting_action(live.services.ledger, thread)
    run = {"assistant_id": "support", "command": {"resume": {"digest": action.digest, "state": "approved"}}}
    for caller in (client, desk):
        for place in (action.id, f"case-{action.id}"):
            reads = [await caller.get(f"/threads/{place}{path}") for path in ("", "/state", "/history", "/runs")]
            writes = [await caller.post(f"/threads/{place}/runs{path}", json=run) for path in ("", "/wait", "/stream")]
            assert {404} == {one.status_code for one in [*reads, *writes]}
            assert (404 if caller is client else 403) == (await caller.delete(f"/threads/{place}")).status_code
    for wrong in ({"assistant_id": "action"}, {"assistant_id": assistant_id("action")}):
        assert 422 == (await client.post(f"/threads/{thread}/runs", json=run | wrong)).status_code
    assert 422 == (await client.post("/threads", json={"thread_id": f"case-{action.id}"})).status_code
    kept = await live.services.ledger.action(action.id)
    assert kept is not None
    assert "awaiting_approval" == kept.state
