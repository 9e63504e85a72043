"""What people write is kept where it can be erased, and never in the audit log."""

import pytest

from tests.tools.ledger.builders import bring_to
from tools.ledger.digest import canonical
from tools.ledger.ledger import Ledger
from tools.ledger.people import is_person

WORDS = "Jo called about her divorce"


async def logged(ledger: Ledger) -> str:
    return canonical([entry.data for entry in await ledger.audit_entries(limit=1000)]).decode()


@pytest.mark.parametrize("approve", [True, False])
async def test_the_reason_of_a_decision(ledger: Ledger, approve: bool) -> None:
    action = await bring_to(ledger, "awaiting_approval", outcome="needs_approval", approvals_needed=1)
    await ledger.decide_action(
        action.id, approve=approve, agent="sam", role="agent", digest=action.digest, reason=WORDS
    )
    assert WORDS not in await logged(ledger)
    assert WORDS == (await ledger.approvals(action.id))[0].reason == (await ledger.action_events(action.id))[-1].reason


async def test_the_reason_of_a_proposal(ledger: Ledger) -> None:
    action = await bring_to(ledger, "proposed", proposer="sam")
    await ledger.explain_action(action.id, actor="sam", reason=WORDS)
    last = (await ledger.action_events(action.id))[-1]
    assert ("proposed", "sam", WORDS) == (last.state, last.actor, last.reason)
    assert (True, False) == ("sam" in await logged(ledger), WORDS in await logged(ledger))


async def test_a_reason_that_code_gives_is_logged(ledger: Ledger) -> None:
    action = await bring_to(ledger, "confirmed")
    await ledger.move_action(action.id, "void", actor="code", reason="the charge changed")
    assert "the charge changed" in await logged(ledger)


def test_an_actor_that_nobody_thought_of_is_taken_for_a_person() -> None:
    names = ("sam", "cli:ana", "code", "customer", "plan action-1")
    assert [True, True, False, False, False] == [is_person(name) for name in names]
