from itertools import product
from typing import get_args

import pytest

from tests.tools.ledger.builders import PATHS, an_action, bring_to, take_step
from tools.errors import IllegalTransition
from tools.ledger.ledger import Ledger
from tools.ledger.transitions import ENDED, LIVE, TRANSITIONS, may_move
from tools.ledger.types import ActionState
from tools.policy.types import Outcome

STATES: tuple[ActionState, ...] = get_args(ActionState)

LEGAL = {
    ("proposed", "confirmed"),
    ("proposed", "declined"),
    ("proposed", "expired"),
    ("proposed", "void"),
    ("confirmed", "executing"),
    ("confirmed", "awaiting_approval"),
    ("confirmed", "void"),
    ("awaiting_approval", "approved"),
    ("awaiting_approval", "rejected"),
    ("awaiting_approval", "expired"),
    ("awaiting_approval", "void"),
    ("approved", "executing"),
    ("approved", "void"),
    ("executing", "succeeded"),
    ("executing", "failed"),
    ("executing", "unknown"),
    ("unknown", "succeeded"),
    ("unknown", "failed"),
}


def test_the_table_names_every_state() -> None:
    assert set(STATES) == set(TRANSITIONS)


@pytest.mark.parametrize(("state", "to"), list(product(STATES, STATES)))
def test_the_table_allows_these_moves_and_no_other(state: ActionState, to: ActionState) -> None:
    assert ((state, to) in LEGAL) == may_move(an_action(state=state), to)


@pytest.mark.parametrize("state", STATES)
async def test_from_each_state_the_ledger_moves_only_by_the_table(ledger: Ledger, state: ActionState) -> None:
    for number, to in enumerate(STATES):
        action = await bring_to(ledger, state, id=f"action-{number}")
        trail = await ledger.action_events(action.id)
        if (state, to) in LEGAL:
            assert to == (await take_step(ledger, action, to)).state
            assert len(trail) + 1 == len(await ledger.action_events(action.id))
        else:
            with pytest.raises(IllegalTransition):
                await take_step(ledger, action, to)
            assert action == await ledger.action(action.id)
            assert trail == await ledger.action_events(action.id)


@pytest.mark.parametrize(
    ("outcome", "state", "allowed"),
    [
        ("auto", "confirmed", True),
        ("auto", "approved", True),
        ("needs_approval", "confirmed", False),
        ("needs_approval", "approved", True),
        ("deny", "confirmed", False),
        ("deny", "approved", False),
    ],
)
async def test_what_policy_said_bars_the_way_round_a_persons_approval(
    ledger: Ledger, outcome: Outcome, state: ActionState, allowed: bool
) -> None:
    action = await bring_to(ledger, state, outcome=outcome)
    if allowed:
        assert (await take_step(ledger, action, "executing")).state == "executing"
    else:
        with pytest.raises(IllegalTransition):
            await take_step(ledger, action, "executing")


def test_the_builders_know_a_way_into_every_state() -> None:
    assert set(STATES) == set(PATHS)


def test_every_state_is_a_proposal_under_way_or_at_its_end() -> None:
    assert set(STATES) == {"proposed"} | LIVE | ENDED
    assert not LIVE & ENDED
