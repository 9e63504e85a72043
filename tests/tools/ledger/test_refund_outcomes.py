"""What Stripe says of a refund, in any order and any number of times, comes to the same."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from tests.tools.ledger.builders import START, Clock, bring_to
from tools.errors import NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.types import RefundOutcome, RefundState


@pytest.fixture(autouse=True)
async def action(ledger: Ledger) -> None:
    await bring_to(ledger, "succeeded")


async def note(ledger: Ledger, state: RefundState, **more: Any) -> RefundOutcome:
    return await ledger.note_refund("re_1", action="action-1", state=state, **more)


async def heard(ledger: Ledger) -> list[str]:
    return [entry.event for entry in await ledger.audit_entries() if entry.event.startswith("refund.")]


async def test_the_state_and_the_banks_reference_are_kept(ledger: Ledger) -> None:
    noted = await note(ledger, "succeeded", reference="7483912")

    expected = RefundOutcome(
        refund="re_1",
        action="action-1",
        state="succeeded",
        reference="7483912",
        failure_reason=None,
        created=START,
        updated=START,
    )
    assert expected == noted == await ledger.refund_outcome("action-1")
    assert not noted.undone


@pytest.mark.parametrize("order", list(permutations(["pending", "succeeded", "failed"])))
async def test_a_failure_is_the_last_word_in_whatever_order_it_is_read(
    ledger: Ledger, order: tuple[RefundState, ...]
) -> None:
    for state in (*order, *order):
        outcome = await note(ledger, state, failure_reason="declined" if state == "failed" else None)

    assert ("failed", "declined", True) == (outcome.state, outcome.failure_reason, outcome.undone)
    assert 1 == (await heard(ledger)).count("refund.failed")


async def test_a_reference_that_comes_later_is_added_and_stays(ledger: Ledger, clock: Clock) -> None:
    await note(ledger, "succeeded")
    clock.forward(days=1)
    await note(ledger, "succeeded", reference="7483912")
    outcome = await note(ledger, "succeeded")

    assert ("7483912", START, clock.now) == (outcome.reference, outcome.created, outcome.updated)
    assert ["refund.succeeded", "refund.succeeded"] == await heard(ledger)


async def test_many_who_say_the_same_are_audited_once(ledger: Ledger) -> None:
    outcomes = await asyncio.gather(*(note(ledger, "failed", failure_reason="declined") for _ in range(10)))

    assert {"failed"} == {outcome.state for outcome in outcomes}
    assert ["refund.failed"] == await heard(ledger)


async def test_nothing_is_known_of_an_action_that_made_no_refund(ledger: Ledger) -> None:
    assert await ledger.refund_outcome("action-1") is None
    with pytest.raises(NotFound):
        await ledger.note_refund("re_2", action="no-such", state="succeeded")
