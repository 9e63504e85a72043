import asyncio
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import PATHS, START, Clock, an_action, behind_its_back, bring_to, drop_guards
from tools.errors import Conflict, CounterfoilError, IllegalTransition, NotFound, StaleDecision, Unprocessable
from tools.ledger.digest import own_digest
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionEvent
from tools.money import Money


async def test_an_action_comes_back_as_it_was_proposed(ledger: Ledger) -> None:
    action = an_action(amount=Money(2**53 + 1, "jpy"), details={"nested": [{"ä": None}, 1.5]})
    assert action == await ledger.propose_action(action)
    assert action == await ledger.action(action.id)
    assert await ledger.action("nobody") is None


async def test_proposing_again_changes_nothing(ledger: Ledger, clock: Clock) -> None:
    confirmed = await bring_to(ledger, "confirmed")
    clock.forward(minutes=1)
    again = await ledger.propose_action(an_action(created=clock.now, updated=clock.now))
    assert confirmed == again
    assert len(await ledger.action_events(confirmed.id)) == 2


async def test_proposing_by_many_at_once_leaves_one_record_and_one_event(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(ledger.propose_action(an_action()) for _ in range(8)))
    assert [an_action()] * 8 == answers
    assert len(await ledger.action_events("action-1")) == 1
    assert await ledger.verify_audit() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"thread": "thread-2"},
        {"kind": "payment_plan"},
        {"customer": "cus_2"},
        {"target": "ch_2"},
        {"amount": Money(4901, "usd")},
        {"amount": Money(4900, "eur")},
        {"reason": "another"},
        {"details": {}},
        {"evidence": {}},
        {"policy_version": "2"},
        {"rule": "another"},
        {"outcome": "needs_approval"},
    ],
)
async def test_the_same_id_for_anything_else_is_a_conflict(ledger: Ledger, change: dict[str, Any]) -> None:
    kept = await ledger.propose_action(an_action())
    with pytest.raises(Conflict):
        await ledger.propose_action(an_action(**change))
    assert kept == await ledger.action(kept.id)


async def test_a_digest_that_is_not_the_actions_own_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.propose_action(an_action(digest="0" * 64))
    with pytest.raises(Unprocessable):
        await ledger.propose_action(replace(an_action(), amount=Money(990000, "usd")))
    assert await ledger.actions() == []


async def test_an_action_begins_as_proposed(ledger: Ledger) -> None:
    with pytest.raises(IllegalTransition):
        await ledger.propose_action(an_action(state="approved"))


async def test_a_negative_amount_is_refused_by_the_database(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.propose_action(an_action(amount=Money(-1, "usd")))


async def test_an_amount_beyond_the_database_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Unprocessable):
        await ledger.propose_action(an_action(amount=Money(2**63, "usd")))


async def test_a_move_leaves_an_event_and_an_audit_entry(ledger: Ledger, clock: Clock) -> None:
    action = await ledger.propose_action(an_action())
    later = clock.forward(seconds=90)
    moved = await ledger.move_action(action.id, "confirmed", actor="customer", reason="yes", digest=action.digest)
    assert replace(action, state="confirmed", updated=later) == moved
    assert moved == await ledger.action(action.id)
    proposed = ActionEvent(action=action.id, sequence=1, state="proposed", actor="assistant", reason="", at=START)
    confirmed = ActionEvent(action=action.id, sequence=2, state="confirmed", actor="customer", reason="yes", at=later)
    assert [proposed, confirmed] == await ledger.action_events(action.id)
    entries = await ledger.audit_entries()
    assert [entry.event for entry in entries] == ["action.proposed", "action.confirmed"]
    expected = {
        "action": action.id,
        "sequence": 2,
        "state": "confirmed",
        "actor": "customer",
        "reason": "yes",
        "digest": action.digest,
    }
    assert expected == entries[-1].data


async def test_a_decision_on_another_digest_is_stale_and_moves_nothing(ledger: Ledger) -> None:
    action = await ledger.propose_action(an_action())
    other = own_digest(replace(action, amount=Money(1, "usd")))
    with pytest.raises(StaleDecision):
        await ledger.move_action(action.id, "confirmed", actor="customer", digest=other)
    with pytest.raises(StaleDecision):
        await ledger.move_action(action.id, "confirmed", actor="customer", digest="")
    assert action == await ledger.action(action.id)
    assert len(await ledger.action_events(action.id)) == 1


async def test_moving_what_is_not_there_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.move_action("nobody", "confirmed", actor="customer")


@pytest.mark.parametrize("hands", [("approved", "approved"), ("approved", "rejected", "expired", "void")])
async def test_of_decisions_at_once_exactly_one_wins(ledger: Ledger, url: str, hands: tuple[Any, ...]) -> None:
    action = await bring_to(ledger, "awaiting_approval", outcome="needs_approval")
    async with Ledger.open(url, keys=KEYS) as another:
        moves = (
            (ledger, another)[n % 2].move_action(action.id, to, actor=f"agent-{n}", digest=action.digest)
            for n, to in enumerate(hands * 3)
        )
        answers = await asyncio.gather(*moves, return_exceptions=True)
    winners = [answer for answer in answers if isinstance(answer, Action)]
    losers = [answer for answer in answers if isinstance(answer, CounterfoilError)]
    # `approved` may be followed by `void`, so two moves can be in order; two decisions cannot.
    assert sum(winner.state != "void" for winner in winners) == 1 or [w.state for w in winners] == ["void"]
    assert len(answers) == len(winners) + len(losers)
    assert {IllegalTransition} == {type(loser) for loser in losers}
    assert 3 + len(winners) == len(await ledger.action_events(action.id))
    assert await ledger.verify_audit() == 3 + len(winners)


async def test_of_two_workers_that_execute_at_once_one_does(ledger: Ledger) -> None:
    action = await bring_to(ledger, "confirmed")
    moves = (ledger.begin_action(action.id, f"key-{n}") for n in range(6))
    answers = await asyncio.gather(*moves, return_exceptions=True)
    assert sum(isinstance(answer, Action) for answer in answers) == 1
    assert sum(isinstance(answer, IllegalTransition) for answer in answers) == 5


async def test_listing_filters_and_begins_with_the_newest(ledger: Ledger) -> None:
    for number in range(4):
        made = START + timedelta(seconds=number)
        mine = {"thread": f"thread-{number % 2}", "customer": f"cus_{number // 2}"}
        await ledger.propose_action(an_action(id=f"a{number}", created=made, updated=made, **mine))
    await ledger.move_action("a1", "confirmed", actor="customer")
    assert [action.id for action in await ledger.actions()] == ["a3", "a2", "a1", "a0"]
    assert [action.id for action in await ledger.actions(limit=2)] == ["a3", "a2"]
    assert [action.id for action in await ledger.actions(thread="thread-1")] == ["a3", "a1"]
    assert [action.id for action in await ledger.actions(customer="cus_0")] == ["a1", "a0"]
    assert [action.id for action in await ledger.actions(customer="cus_0", state="confirmed")] == ["a1"]


async def test_the_database_itself_refuses_to_change_what_was_proposed(ledger: Ledger) -> None:
    action = await ledger.propose_action(an_action())
    for column in {field.name for field in fields(Action)} - {"state", "deadline", "updated"} | {"currency"}:
        value = "'\"other words\"'" if column in {"reason", "details", "evidence"} else column
        with pytest.raises(CounterfoilError) as refused:
            await behind_its_back(ledger, f"UPDATE actions SET {column} = {value}")  # noqa: S608 - the names are ours
        assert isinstance(refused.value.__cause__, DBAPIError)
        assert "append-only" in str(refused.value.__cause__), column
    assert action == await ledger.action(action.id)


@pytest.mark.parametrize("table", ["actions", "action_events", "audit", "audit_head"])
async def test_the_database_itself_refuses_to_forget(ledger: Ledger, table: str) -> None:
    await ledger.propose_action(an_action())
    with pytest.raises(CounterfoilError) as refused:
        await behind_its_back(ledger, f"DELETE FROM {table}")  # noqa: S608 - the names are ours
    assert "append-only" in str(refused.value.__cause__)


async def test_a_state_outside_the_contract_is_refused_by_the_database(ledger: Ledger) -> None:
    await ledger.propose_action(an_action())
    with pytest.raises(Conflict):
        await behind_its_back(ledger, "UPDATE actions SET state = 'paid'")


@pytest.mark.parametrize("change", ["amount = 1", "customer = 'cus_2'", "currency = 'jpy'", "evidence = '{}'"])
async def test_a_record_changed_behind_the_ledger_is_never_executed(ledger: Ledger, change: str) -> None:
    action = await bring_to(ledger, "confirmed")
    await drop_guards(ledger, "actions")
    await behind_its_back(ledger, f"UPDATE actions SET {change}")  # noqa: S608 - the changes are ours
    with pytest.raises(StaleDecision):
        await ledger.begin_action(action.id, "key-1")


async def test_unfinished_is_what_was_agreed_to_and_has_no_end_or_no_receipt(ledger: Ledger, clock: Clock) -> None:
    for state in PATHS:
        await bring_to(ledger, state, id=f"is-{state}")
        clock.forward(seconds=1)
    await bring_to(ledger, "succeeded", id="is-receipted")
    await ledger.issue_receipt("is-receipted", {"amount": 1})

    unfinished = [action.id for action in await ledger.unfinished_actions()]

    assert ["is-confirmed", "is-approved", "is-executing", "is-succeeded", "is-unknown"] == unfinished
    assert ["is-confirmed"] == [action.id for action in await ledger.unfinished_actions(limit=1)]
