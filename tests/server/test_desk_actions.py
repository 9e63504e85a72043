"""Colleagues decide exactly what they were shown, within what they may, and nobody alone where two are needed."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from graphs.settings import Settings
from tests.server.conftest import Live, new_id, serving
from tests.server.deeds import action_in, proposed_action, waiting_action
from tools.errors import Unavailable
from tools.ledger.types import Action, ActionState
from tools.money import Money

Said = dict[str, Any]


@pytest.fixture
async def ana(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with live.http(await live.agent("Ana")) as client:
        yield client


@pytest.fixture
async def ben(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with live.http(await live.agent("Ben")) as client:
        yield client


async def decision(desk: httpx.AsyncClient, action: Action, **changes: Any) -> httpx.Response:
    said: Said = {"digest": action.digest, "approve": True, "reason": "looks right"}
    return await desk.post(f"/desk/actions/{action.id}/decision", json=said | changes)


async def told(client: httpx.AsyncClient, thread: str) -> list[str]:
    """What the assistant said, once all runs have ended."""
    for run in (await client.get(f"/threads/{thread}/runs")).json():
        await client.get(f"/threads/{thread}/runs/{run['run_id']}/join")
    lines = (await client.get(f"/threads/{thread}/messages")).json()
    return [line["text"] for line in lines if line["role"] == "assistant"]


async def test_a_decision_names_the_digest_and_is_told_on_the_thread(
    live: Live, client: httpx.AsyncClient, ana: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread)
    waiting = (await ana.get("/desk/actions", params={"state": "awaiting_approval"})).json()
    assert [one["id"] for one in waiting] == [action.id]
    stale = await decision(ana, action, digest="0" * 64)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_decision")
    assert "Read it again" in stale.json()["detail"]
    decided = (await decision(ana, action)).json()
    assert decided["state"] == "approved"
    assert (decided["events"][-1]["actor"], decided["events"][-1]["reason"]) == ("Ana", "looks right")
    assert ["A case was decided."] == await told(client, thread)


async def test_a_second_click_is_no_error_and_tells_nobody_again(
    live: Live, client: httpx.AsyncClient, ana: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread)
    answers = [await decision(ana, action) for _ in range(3)]
    assert [200, 200, 200] == [answer.status_code for answer in answers]
    assert 1 == len(answers[-1].json()["approvals"])
    assert 409 == (await decision(ana, action, digest="0" * 64)).status_code, "not even by who said yes before"
    assert ["A case was decided."] == await told(client, thread)
    metrics = (await ana.get("/metrics")).text
    assert 'counterfoil_decisions_total{decision="approve",role="supervisor"} 1.0' in metrics


async def test_what_is_decided_already_says_by_whom(
    live: Live, ana: httpx.AsyncClient, ben: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread)
    await decision(ana, action)
    for approve in (True, False):
        late = await decision(ben, action, approve=approve)
        assert (late.status_code, late.json()["code"]) == (409, "illegal_transition")
        assert "approved by Ana" in late.json()["detail"]
    changed_mind = await decision(ana, action, approve=False)
    assert changed_mind.status_code == 409


@pytest.mark.parametrize(
    ("state", "way_out"),
    [
        ("proposed", "The customer has not agreed to it yet"),
        ("declined", "The customer declined it"),
        ("void", "has to be asked for anew"),
        ("succeeded", "It is succeeded"),
    ],
)
async def test_what_does_not_wait_says_why_and_what_to_do(
    live: Live, ana: httpx.AsyncClient, thread: str, state: ActionState, way_out: str
) -> None:
    action = await action_in(live.services.ledger, thread, state)
    answer = await decision(ana, action)
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert way_out in answer.json()["detail"]


async def test_after_its_time_nobody_can_approve_and_the_list_of_overdue_has_it(
    live: Live, ana: httpx.AsyncClient, thread: str
) -> None:
    ledger = live.services.ledger
    in_time = await waiting_action(ledger, thread, target="ch_2")
    late = await proposed_action(ledger, thread)
    await ledger.move_action(late.id, "confirmed", actor="customer")
    past = datetime.now(UTC) - timedelta(minutes=1)
    await ledger.move_action(late.id, "awaiting_approval", actor="policy", deadline=past)
    answer = await decision(ana, late)
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert "Its time to be approved is over" in answer.json()["detail"]
    overdue = (await ana.get("/desk/actions", params={"overdue": True})).json()
    assert [late.id] == [one["id"] for one in overdue]
    assert in_time.id in [one["id"] for one in (await ana.get("/desk/actions")).json()]


async def test_a_promise_that_was_not_kept_puts_its_action_among_the_overdue(
    live: Live, ana: httpx.AsyncClient, thread: str
) -> None:
    ledger = live.services.ledger
    done = await action_in(ledger, thread, "succeeded")
    await ledger.promise(thread, "refund_arrives", "money back", datetime.now(UTC) - timedelta(days=1), done.id)
    overdue = {"overdue": True}
    assert [done.id] == [one["id"] for one in (await ana.get("/desk/actions", params=overdue)).json()]
    [owed] = (await ana.get(f"/desk/actions/{done.id}")).json()["promises"]
    await ledger.keep_promise(owed["id"])
    assert [] == (await ana.get("/desk/actions", params=overdue)).json()


async def test_two_people_have_to_approve_where_policy_wants_two(
    live: Live, client: httpx.AsyncClient, ana: httpx.AsyncClient, ben: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread, approvals_needed=2)
    first = (await decision(ana, action)).json()
    again = (await decision(ana, action)).json()
    assert ("awaiting_approval", 1, 2) == (first["state"], first["approvals_given"], first["approvals_needed"])
    assert "Ana said yes. One more person has to approve this." == first["standing"]
    assert ("awaiting_approval", 1) == (again["state"], again["approvals_given"])
    assert [] == await told(client, thread)
    second = (await decision(ben, action)).json()
    assert ("approved", ["Ana", "Ben"]) == (second["state"], [one["agent"] for one in second["approvals"]])
    assert ["A case was decided."] == await told(client, thread)


async def test_one_no_of_two_people_ends_it(
    live: Live, ana: httpx.AsyncClient, ben: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread, approvals_needed=2)
    await decision(ana, action)
    no = (await decision(ben, action, approve=False, reason="used in full")).json()
    assert "rejected" == no["state"]
    assert "It was rejected by Ben and is rejected now." == no["standing"]


async def test_nobody_approves_what_they_proposed(
    live: Live, ana: httpx.AsyncClient, ben: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread, proposer="Ana")
    own = await decision(ana, action)
    assert (own.status_code, own.json()["detail"]) == (
        409,
        "You proposed this, so another person has to approve it.",
    )
    assert 200 == (await decision(ben, action)).status_code


async def test_an_agent_may_approve_up_to_a_limit_and_a_supervisor_beyond_it(
    live: Live, ana: httpx.AsyncClient, thread: str
) -> None:
    action = await waiting_action(live.services.ledger, thread, amount=Money(50001, "usd"))
    async with live.http(await live.agent("Kim", role="agent")) as kim:
        refused = await decision(kim, action)
        rejected_none = await kim.get(f"/desk/actions/{action.id}")
    assert (refused.status_code, refused.json()["code"]) == (403, "beyond_your_limit")
    assert "$500.01 is above the $500.00 that you may approve" in refused.json()["detail"]
    assert ("awaiting_approval", []) == (rejected_none.json()["state"], rejected_none.json()["approvals"])
    assert 200 == (await decision(ana, action)).status_code


async def test_a_days_approvals_of_one_person_are_added_up_and_a_no_needs_no_limit(live: Live, thread: str) -> None:
    ledger = live.services.ledger
    asked = [await waiting_action(ledger, thread, target=f"ch_{n}", amount=Money(50000, "usd")) for n in range(5)]
    async with live.http(await live.agent("Kim", role="agent")) as kim:
        within = [(await decision(kim, one)).status_code for one in asked[:4]]
        beyond = await decision(kim, asked[4])
        again = await decision(kim, asked[3])
        no = await decision(kim, asked[4], approve=False)
    assert [200] * 4 == within
    assert (403, "beyond_your_limit") == (beyond.status_code, beyond.json()["code"])
    assert 200 == again.status_code, "a second click is not counted twice"
    assert "rejected" == no.json()["state"]


async def test_two_approvals_of_one_person_on_two_servers_cannot_both_use_the_rest_of_the_day(
    live: Live, settings: Settings, thread: str
) -> None:
    ledger = live.services.ledger
    asked = [await waiting_action(ledger, thread, target=f"ch_{n}", amount=Money(50000, "usd")) for n in range(5)]
    async with serving(settings, ledger) as other:
        token = await live.agent("Kim", role="agent")
        async with live.http(token) as here, other.http(token) as there:
            for one in asked[:3]:
                await decision(here, one)
            last = await asyncio.gather(decision(here, asked[3]), decision(there, asked[4]))
    assert [200, 403] == sorted(answer.status_code for answer in last)
    assert 200000 == (await ledger.approved_by("Kim", since=datetime.now(UTC) - timedelta(hours=1)))["usd"].amount


async def test_a_decision_stands_when_the_conversation_is_gone(live: Live, ana: httpx.AsyncClient, thread: str) -> None:
    action = await waiting_action(live.services.ledger, thread)
    await live.services.ledger.delete_thread(thread)
    decided = await decision(ana, action, approve=False, reason="not ours")
    assert (decided.status_code, decided.json()["state"]) == (200, "rejected")


@pytest.mark.parametrize("approve", ["yes", "true", 1, 0, "no", None])
async def test_an_approval_is_true_or_false_and_nothing_like_it(
    live: Live, ana: httpx.AsyncClient, thread: str, approve: object
) -> None:
    """`"approve": "yes"` once approved a refund of 480.00, by the grace of a conversion."""
    action = await waiting_action(live.services.ledger, thread)
    refused = await decision(ana, action, approve=approve)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "approve")
    kept = await live.services.ledger.action(action.id)
    assert kept is not None
    assert kept.state == "awaiting_approval"


async def test_a_decision_needs_a_reason(live: Live, ana: httpx.AsyncClient, thread: str) -> None:
    action = await waiting_action(live.services.ledger, thread)
    assert (await decision(ana, action, reason=" ")).json()["errors"][0]["field"] == "reason"


async def test_the_role_is_the_tokens_and_never_the_bodys(live: Live, thread: str) -> None:
    action = await waiting_action(live.services.ledger, thread, amount=Money(50001, "usd"))
    async with live.http(await live.agent("Kim", role="agent")) as kim:
        for field in ({"role": "admin"}, {"agent": "Ana"}):
            assert 422 == (await decision(kim, action, **field)).status_code


async def test_everything_behind_an_action_is_shown(live: Live, ana: httpx.AsyncClient, thread: str) -> None:
    ledger = live.services.ledger
    action = await waiting_action(ledger, thread)
    verdict = {
        "outcome": "needs_approval", "rule": "refund.automatic-limit", "policy_version": "1", "because": "above 100",
        "document": "refunds", "anchor": "limits-and-approval", "people": 1,
        "trace": [{"rule": "refund.disputed", "outcome": None, "because": "no dispute"}],
    }  # fmt: skip
    await ledger.record_assessment(action.id, thread, "proposal", request={"kind": "refund"}, verdict=verdict)
    seen = (await ana.get(f"/desk/actions/{action.id}")).json()
    assert verdict["trace"] == seen["assessments"][0]["verdict"]["trace"]
    assert {"refundable": 4999} == seen["evidence"]
    assert ("assistant", 1, 0) == (seen["proposer"], seen["approvals_needed"], seen["approvals_given"])
    assert ["proposed", "confirmed", "awaiting_approval"] == [event["state"] for event in seen["events"]]
    assert datetime.fromisoformat(seen["deadline"]) > datetime.now(UTC)
    assert "One more person has to approve this." == seen["standing"]
    assert ([], [], None, None) == (seen["promises"], seen["effects"], seen["receipt"], seen["section"])


class TestTheKillSwitch:
    PATH = "/desk/switches/automatic"

    async def test_a_supervisor_turns_it_and_everybody_at_the_desk_sees_who_and_why(
        self, live: Live, ana: httpx.AsyncClient
    ) -> None:
        assert (await ana.get(self.PATH)).json()["on"] is True
        assert "counterfoil_automatic_actions 1.0" in (await ana.get("/metrics")).text
        off = await ana.post(self.PATH, json={"on": False, "reason": "refunds look wrong"})
        async with live.http(await live.agent("Kim", role="agent")) as kim:
            seen = (await kim.get(self.PATH)).json()
        assert off.json() == seen
        assert (False, "Ana", "refunds look wrong") == (seen["on"], seen["actor"], seen["reason"])
        assert "counterfoil_automatic_actions 0.0" in (await ana.get("/metrics")).text
        on = await ana.post(self.PATH, json={"on": True, "reason": "it was a test"})
        assert on.json()["on"] is True

    async def test_nobody_else_turns_it(self, live: Live, client: httpx.AsyncClient) -> None:
        said = {"on": False, "reason": "because"}
        async with live.http(await live.agent("Kim", role="agent")) as kim:
            refused = await kim.post(self.PATH, json=said)
        assert (403, "forbidden") == (refused.status_code, refused.json()["code"])
        assert 403 == (await client.post(self.PATH, json=said)).status_code
        assert 403 == (await client.get(self.PATH)).status_code
        assert await live.services.ledger.switch("automatic") is None

    async def test_it_is_turned_with_a_reason_and_by_a_plain_boolean(self, ana: httpx.AsyncClient) -> None:
        for said in (
            {"on": False},
            {"on": False, "reason": ""},
            {"on": "false", "reason": "x"},
            {"on": 0, "reason": "x"},
        ):
            assert 422 == (await ana.post(self.PATH, json=said)).status_code

    async def test_the_other_numbers_are_shown_when_the_ledger_does_not_answer(
        self, live: Live, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(_name: str) -> None:
            raise Unavailable

        monkeypatch.setattr(live.services.ledger, "switch", away)
        shown = await ana.get("/metrics")
        assert 200 == shown.status_code
        [line] = [line for line in shown.text.splitlines() if line.startswith("counterfoil_automatic_actions ")]
        assert math.isnan(float(line.split()[1]))


async def test_an_action_that_is_not_there_is_not_found(ana: httpx.AsyncClient) -> None:
    said = {"digest": "0" * 64, "approve": True, "reason": "x"}
    assert 404 == (await ana.post(f"/desk/actions/{new_id()}/decision", json=said)).status_code
