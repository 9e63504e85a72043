import asyncio

import pytest

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import START, Clock, behind_its_back, bring_to
from tools.errors import Conflict, CounterfoilError, IllegalTransition, NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.types import ActionState, Effect


async def test_the_intent_and_the_move_are_one(ledger: Ledger) -> None:
    await bring_to(ledger, "confirmed")
    assert "executing" == (await ledger.begin_action("action-1", "key-1")).state
    expected = Effect(
        action="action-1",
        kind="refund",
        target="ch_1",
        idempotency_key="key-1",
        outcome=None,
        stripe_id=None,
        begun=START,
        finished=None,
    )
    assert [expected] == await ledger.effects("action-1")


async def test_of_many_workers_at_once_one_is_told_to_go_ahead(ledger: Ledger, url: str) -> None:
    await bring_to(ledger, "confirmed")
    async with Ledger.open(url, keys=KEYS) as another:
        ended = await asyncio.gather(
            *((ledger, another)[n % 2].begin_action("action-1", "key-1") for n in range(8)), return_exceptions=True
        )
    assert 7 == sum(isinstance(one, IllegalTransition) for one in ended)
    assert 1 == len(await ledger.effects("action-1"))


async def test_a_key_that_names_another_effect_begins_nothing(ledger: Ledger) -> None:
    await bring_to(ledger, "confirmed")
    await bring_to(ledger, "confirmed", id="action-2")
    await ledger.begin_action("action-1", "key-1")
    with pytest.raises(Conflict):
        await ledger.begin_action("action-2", "key-1")
    assert [] == await ledger.effects("action-2")
    assert "confirmed" == (await ledger.actions(target="ch_of_action-2"))[0].state


@pytest.mark.parametrize("state", ["proposed", "awaiting_approval", "executing", "void", "unknown", "succeeded"])
async def test_only_what_was_agreed_to_and_not_begun_may_touch_the_world(ledger: Ledger, state: ActionState) -> None:
    await bring_to(ledger, state)
    before = await ledger.effects("action-1")
    with pytest.raises(IllegalTransition):
        await ledger.begin_action("action-1", "key-2")
    assert before == await ledger.effects("action-1")


async def test_an_effect_needs_its_action(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.begin_action("nobody", "key-1")
    with pytest.raises(NotFound):
        await ledger.conclude_action("nobody", "done", stripe_id="re_1", actor="stripe", reason="re_1")


async def test_what_was_not_begun_has_no_conclusion(ledger: Ledger) -> None:
    await bring_to(ledger, "confirmed")
    with pytest.raises(IllegalTransition):
        await ledger.conclude_action("action-1", "done", stripe_id="re_1", actor="stripe", reason="re_1")


async def test_a_conclusion_is_said_once_and_stays(ledger: Ledger, clock: Clock) -> None:
    """From `unknown` too; whoever concludes later finds what the first one wrote."""
    await bring_to(ledger, "unknown")
    done = clock.forward(seconds=2)
    ended = await ledger.conclude_action("action-1", "done", stripe_id="re_1", actor="reconciliation", reason="re_1")
    assert ("succeeded", done) == (ended.state, ended.updated)
    clock.forward(seconds=2)
    for outcome in ("done", "refused", "absent"):
        with pytest.raises(IllegalTransition):
            await ledger.conclude_action("action-1", outcome, stripe_id=None, actor="stripe", reason="no")
    (effect,) = await ledger.effects("action-1")
    assert ("done", "re_1", done) == (effect.outcome, effect.stripe_id, effect.finished)
    assert [entry.event for entry in await ledger.audit_entries()].count("effect.finished") == 1


@pytest.mark.parametrize("change", ["target = 'ch_2'", "idempotency_key = 'key-2'", "kind = 'credit'"])
async def test_the_database_itself_refuses_to_change_an_intent(ledger: Ledger, change: str) -> None:
    await bring_to(ledger, "executing")
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, f"UPDATE effects SET {change}")  # noqa: S608 - the changes are ours
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, "DELETE FROM effects")


async def test_an_effect_is_found_by_what_it_made_at_stripe(ledger: Ledger) -> None:
    action = await bring_to(ledger, "executing")
    assert await ledger.effect_of("re_1") is None

    await ledger.conclude_action(action.id, "done", stripe_id="re_1", actor="stripe", reason="re_1")

    found = await ledger.effect_of("re_1")
    assert found is not None
    assert action.id == found.action
