"""What the database itself holds, whoever writes to it: a slip in our code, or somebody with a console."""

from itertools import product
from typing import get_args

import pytest

from tests.tools.ledger.builders import behind_its_back, bring_to, take_step
from tools.errors import AlreadyUnderWay, Conflict, NotAutomatic
from tools.ledger.ledger import Ledger
from tools.ledger.switches import AUTOMATIC
from tools.ledger.transitions import LIVE, TRANSITIONS
from tools.ledger.types import Action, ActionState

STATES: tuple[ActionState, ...] = get_args(ActionState)


async def force(ledger: Ledger, action: Action, state: str) -> None:
    await behind_its_back(ledger, "UPDATE actions SET state = :state WHERE id = :id", state=state, id=action.id)


async def test_moves_outside_the_table_are_refused_even_to_sql(ledger: Ledger) -> None:
    for number, (state, to) in enumerate(product(STATES, STATES)):
        if to in TRANSITIONS[state]:
            continue
        action = await bring_to(ledger, state, id=f"action-{number}")
        with pytest.raises(Conflict):
            await force(ledger, action, to)
        assert action == await ledger.action(action.id)


async def test_moves_of_the_table_are_open_to_sql_so_the_guard_is_no_wall(ledger: Ledger) -> None:
    for number, (state, to) in enumerate((s, t) for s in STATES for t in TRANSITIONS[s]):
        action = await bring_to(ledger, state, id=f"action-{number}")
        await force(ledger, action, to)


async def test_without_approvals_nothing_that_needs_them_is_executed_even_by_sql(ledger: Ledger) -> None:
    """Approved by a bare UPDATE: the state says so, and no person does."""
    action = await bring_to(ledger, "awaiting_approval", outcome="needs_approval", approvals_needed=1)
    await force(ledger, action, "approved")
    with pytest.raises(Conflict):
        await force(ledger, action, "executing")


@pytest.mark.parametrize(("needed", "given", "allowed"), [(1, 1, True), (2, 1, False), (2, 2, True), (0, 0, False)])
async def test_as_many_people_as_policy_asks_for(ledger: Ledger, needed: int, given: int, allowed: bool) -> None:
    action = await bring_to(ledger, "awaiting_approval", outcome="needs_approval", approvals_needed=needed)
    for agent in ["sam", "kim"][:given]:
        await ledger.decide_action(
            action.id, approve=True, agent=agent, role="agent", digest=action.digest, reason="right"
        )
    if given < needed or not given:
        await force(ledger, action, "approved")
    if allowed:
        await force(ledger, action, "executing")
    else:
        with pytest.raises(Conflict):
            await force(ledger, action, "executing")


async def test_an_approval_of_another_digest_clears_nothing(ledger: Ledger) -> None:
    action = await bring_to(ledger, "awaiting_approval", outcome="needs_approval", approvals_needed=1)
    await behind_its_back(
        ledger,
        "INSERT INTO approvals (action, agent, verdict, role, digest, reason, at) "
        "VALUES (:action, 'sam', 'approve', 'agent', :digest, 'right', '2026-11-23 09:00:00')",
        action=action.id,
        digest="0" * 64,
    )
    await force(ledger, action, "approved")
    with pytest.raises(Conflict):
        await force(ledger, action, "executing")


async def test_with_the_switch_off_nothing_automatic_begins(ledger: Ledger) -> None:
    action = await bring_to(ledger, "confirmed")
    await ledger.turn_switch(AUTOMATIC, on=False, actor="sam", reason="odd refunds")
    with pytest.raises(NotAutomatic):
        await take_step(ledger, action, "executing")
    with pytest.raises(Conflict):
        await force(ledger, action, "executing")
    await ledger.turn_switch(AUTOMATIC, on=True, actor="kim", reason="it was a campaign")
    assert "executing" == (await take_step(ledger, action, "executing")).state


async def test_with_the_switch_off_a_person_still_can(ledger: Ledger) -> None:
    await ledger.turn_switch(AUTOMATIC, on=False, actor="sam", reason="odd refunds")
    action = await bring_to(ledger, "approved")
    assert "executing" == (await take_step(ledger, action, "executing")).state


async def test_one_of_a_kind_is_under_way_for_each_target(ledger: Ledger) -> None:
    for number, state in enumerate(sorted(LIVE)):
        target = f"ch_{number}"
        await bring_to(ledger, state, id=f"first-{number}", target=target)
        second = await bring_to(ledger, "proposed", id=f"second-{number}", target=target)
        with pytest.raises(AlreadyUnderWay):
            await ledger.move_action(second.id, "confirmed", actor="customer")
        with pytest.raises(Conflict):
            await force(ledger, second, "confirmed")


async def test_when_the_first_is_at_its_end_another_may_begin(ledger: Ledger) -> None:
    await bring_to(ledger, "succeeded", id="first", target="ch_1")
    assert "confirmed" == (await bring_to(ledger, "confirmed", id="second", target="ch_1")).state


@pytest.mark.parametrize("table", ["approvals", "assessments"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET at = at"])
async def test_what_people_and_policy_said_stays(ledger: Ledger, table: str, change: str) -> None:
    await bring_to(ledger, "approved")
    verdict = {"outcome": "auto", "rule": "refund.window", "policy_version": "2026-11-01"}
    await ledger.record_assessment("case", "thread", "proposal", request={}, verdict=verdict)
    with pytest.raises(Conflict) as refused:
        await behind_its_back(ledger, change.format(table))
    assert "append-only" in str(refused.value.__cause__)
