import asyncio

import pytest

from tests.tools.ledger.builders import START, Clock, behind_its_back, bring_to
from tools.errors import Conflict, CounterfoilError, IllegalTransition, NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.types import ActionState, Effect


async def test_an_intent_is_new_once(ledger: Ledger) -> None:
    await bring_to(ledger, "executing")
    assert True is await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    assert False is await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
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
    await bring_to(ledger, "executing")
    async with Ledger.open(url) as another:
        asked = ((ledger, another)[n % 2].begin_effect("action-1", "key-1", "ch_1", "refund") for n in range(8))
        assert sum(await asyncio.gather(*asked)) == 1


async def test_the_same_refund_under_a_second_key_is_a_conflict(ledger: Ledger) -> None:
    await bring_to(ledger, "executing")
    await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    with pytest.raises(Conflict):
        await ledger.begin_effect("action-1", "key-2", "ch_1", "refund")


async def test_the_same_key_for_a_second_refund_is_a_conflict(ledger: Ledger) -> None:
    await bring_to(ledger, "executing")
    await bring_to(ledger, "executing", id="action-2")
    await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    with pytest.raises(Conflict):
        await ledger.begin_effect("action-2", "key-1", "ch_1", "refund")


@pytest.mark.parametrize("state", ["proposed", "confirmed", "approved", "void", "unknown", "succeeded"])
async def test_only_an_executing_action_may_touch_the_world(ledger: Ledger, state: ActionState) -> None:
    await bring_to(ledger, state)
    with pytest.raises(IllegalTransition):
        await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    assert await ledger.effects("action-1") == []


async def test_an_effect_needs_its_action(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.begin_effect("nobody", "key-1", "ch_1", "refund")
    with pytest.raises(NotFound):
        await ledger.finish_effect("nobody", "succeeded", "re_1")


async def test_finishing_what_was_not_begun_is_not_found(ledger: Ledger) -> None:
    await bring_to(ledger, "executing")
    with pytest.raises(NotFound):
        await ledger.finish_effect("action-1", "succeeded", "re_1")


async def test_an_outcome_is_kept_and_may_be_told_twice(ledger: Ledger, clock: Clock) -> None:
    await bring_to(ledger, "executing")
    await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    done = clock.forward(seconds=2)
    await ledger.finish_effect("action-1", "succeeded", "re_1")
    clock.forward(seconds=2)
    await ledger.finish_effect("action-1", "succeeded", "re_1")
    (effect,) = await ledger.effects("action-1")
    assert ("succeeded", "re_1", done) == (effect.outcome, effect.stripe_id, effect.finished)
    assert [entry.event for entry in await ledger.audit_entries()].count("effect.finished") == 1


async def test_an_unknown_outcome_may_become_known_and_a_known_one_stays(ledger: Ledger) -> None:
    await bring_to(ledger, "executing")
    await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    await ledger.finish_effect("action-1", "unknown", None)
    await ledger.finish_effect("action-1", "succeeded", "re_1")
    for other in ("failed", "unknown"):
        with pytest.raises(Conflict):
            await ledger.finish_effect("action-1", other, None)
    (effect,) = await ledger.effects("action-1")
    assert (effect.outcome, effect.stripe_id) == ("succeeded", "re_1")


@pytest.mark.parametrize("change", ["target = 'ch_2'", "idempotency_key = 'key-2'", "kind = 'credit'"])
async def test_the_database_itself_refuses_to_change_an_intent(ledger: Ledger, change: str) -> None:
    await bring_to(ledger, "executing")
    await ledger.begin_effect("action-1", "key-1", "ch_1", "refund")
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, f"UPDATE effects SET {change}")  # noqa: S608 - the changes are ours
    with pytest.raises(CounterfoilError):
        await behind_its_back(ledger, "DELETE FROM effects")


async def test_an_effect_is_found_by_what_it_made_at_stripe(ledger: Ledger) -> None:
    action = await bring_to(ledger, "executing")
    await ledger.begin_effect(action.id, "key-1", "ch_1", "refund")
    assert await ledger.effect_of("re_1") is None

    await ledger.finish_effect(action.id, "done", "re_1")

    found = await ledger.effect_of("re_1")
    assert found is not None
    assert action.id == found.action
