import asyncio
from datetime import timedelta

import pytest

from tests.tools.ledger.builders import START, Clock, bring_to
from tools.errors import Conflict, IllegalTransition, NotFound, StaleDecision, Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action
from tools.money import Money


async def waiting(ledger: Ledger, needed: int = 1, **changes: object) -> Action:
    return await bring_to(ledger, "awaiting_approval", outcome="needs_approval", approvals_needed=needed, **changes)


async def decide(ledger: Ledger, action: Action, agent: str, *, approve: bool = True, digest: str = "") -> Action:
    return await ledger.decide_action(
        action.id,
        approve=approve,
        agent=agent,
        role="agent",
        digest=digest or action.digest,
        reason="first year" if approve else "used in full",
    )


async def test_one_person_approves_and_their_words_are_kept(ledger: Ledger) -> None:
    action = await waiting(ledger)
    assert "approved" == (await decide(ledger, action, "sam")).state
    [said] = await ledger.approvals(action.id)
    assert ("sam", "agent", action.digest, "approve", "first year", START) == (
        said.agent,
        said.role,
        said.digest,
        said.verdict,
        said.reason,
        said.at,
    )
    events = [entry.event for entry in await ledger.audit_entries()]
    assert ["approval.approve", "action.approved"] == events[-2:]


async def test_above_the_limit_two_different_people_are_needed(ledger: Ledger) -> None:
    action = await waiting(ledger, 2)
    assert "awaiting_approval" == (await decide(ledger, action, "sam")).state
    assert "awaiting_approval" == (await decide(ledger, action, "sam")).state
    assert "approved" == (await decide(ledger, action, "kim")).state
    assert {"sam", "kim"} == {said.agent for said in await ledger.approvals(action.id)}


async def test_one_no_is_enough_also_after_a_yes_and_by_the_same_person(ledger: Ledger) -> None:
    for number, agent in enumerate(("kim", "sam")):
        action = await waiting(ledger, 2, id=f"action-{number}")
        await decide(ledger, action, "sam")
        assert "rejected" == (await decide(ledger, action, agent, approve=False)).state


async def test_nobody_approves_what_they_proposed_but_they_may_take_it_back(ledger: Ledger) -> None:
    action = await waiting(ledger, proposer="sam")
    with pytest.raises(Conflict, match="another person"):
        await decide(ledger, action, "sam")
    assert [] == await ledger.approvals(action.id)
    assert "rejected" == (await decide(ledger, action, "sam", approve=False)).state


async def test_a_second_click_is_no_error_and_no_second_word(ledger: Ledger) -> None:
    action = await waiting(ledger)
    first = await decide(ledger, action, "sam")
    assert first == await decide(ledger, action, "sam")
    assert 1 == len(await ledger.approvals(action.id))


async def test_who_comes_too_late_is_told(ledger: Ledger) -> None:
    action = await waiting(ledger)
    await decide(ledger, action, "sam")
    for approve in (True, False):
        with pytest.raises(IllegalTransition, match="approved"):
            await decide(ledger, action, "kim", approve=approve)


async def test_of_many_that_decide_at_once_one_moves_it(ledger: Ledger) -> None:
    action = await waiting(ledger)
    ended = await asyncio.gather(
        *(decide(ledger, action, f"agent-{n}", approve=bool(n % 2)) for n in range(6)), return_exceptions=True
    )
    assert 5 == sum(isinstance(one, IllegalTransition) for one in ended)
    assert 1 == len(await ledger.approvals(action.id))


async def test_another_digest_is_stale(ledger: Ledger) -> None:
    action = await waiting(ledger)
    with pytest.raises(StaleDecision):
        await decide(ledger, action, "sam", digest="0" * 64)
    assert [] == await ledger.approvals(action.id)


async def test_after_the_deadline_nobody_can_approve_and_everybody_can_reject(ledger: Ledger, clock: Clock) -> None:
    action = await bring_to(ledger, "confirmed", outcome="needs_approval", approvals_needed=1)
    deadline = START + timedelta(days=5)
    await ledger.move_action(action.id, "awaiting_approval", actor="policy", deadline=deadline)
    clock.now = deadline
    with pytest.raises(IllegalTransition, match="time"):
        await decide(ledger, action, "sam")
    assert [action.id] == [late.id for late in await ledger.overdue_actions()]
    assert "rejected" == (await decide(ledger, action, "sam", approve=False)).state
    assert [] == await ledger.overdue_actions()


async def test_a_proposal_can_be_agreed_to_until_its_deadline(ledger: Ledger, clock: Clock) -> None:
    action = await bring_to(ledger, "proposed", deadline=START + timedelta(hours=1))
    clock.now = START + timedelta(hours=1)
    with pytest.raises(IllegalTransition, match="time"):
        await ledger.move_action(action.id, "confirmed", actor="customer", digest=action.digest)
    clock.now -= timedelta(microseconds=1)
    agreed = await ledger.move_action(action.id, "confirmed", actor="customer", digest=action.digest)
    assert ("confirmed", None) == (agreed.state, agreed.deadline)


@pytest.mark.parametrize(("agent", "reason"), [("customer", "x"), ("code", "x"), ("sam", " ")])
async def test_a_decision_needs_a_person_and_a_reason(ledger: Ledger, agent: str, reason: str) -> None:
    action = await waiting(ledger)
    with pytest.raises(Unprocessable):
        await ledger.decide_action(
            action.id, approve=True, agent=agent, role="agent", digest=action.digest, reason=reason
        )


async def test_what_is_not_there_cannot_be_decided(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.decide_action("x", approve=True, agent="sam", role="agent", digest="0" * 64, reason="x")


async def test_what_a_person_approved_is_summed_by_currency(ledger: Ledger, clock: Clock) -> None:
    for number, money in enumerate((Money(100, "usd"), Money(20, "usd"), Money(7, "eur"))):
        clock.forward(hours=1)
        await decide(ledger, await waiting(ledger, id=f"action-{number}", amount=money), "sam")
    await decide(ledger, await waiting(ledger, id="rejected"), "sam", approve=False)
    await decide(ledger, await waiting(ledger, id="other"), "kim")
    assert {"usd": Money(120, "usd"), "eur": Money(7, "eur")} == await ledger.approved_by("sam", since=START)
    since = START + timedelta(hours=1)
    assert {"usd": Money(20, "usd"), "eur": Money(7, "eur")} == await ledger.approved_by("sam", since=since)
