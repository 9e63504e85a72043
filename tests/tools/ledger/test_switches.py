import asyncio

from tests.tools.ledger.builders import START, Clock
from tools.ledger.ledger import Ledger
from tools.ledger.types import Switch


async def test_a_switch_that_nobody_turned_says_nothing(ledger: Ledger) -> None:
    assert await ledger.switch("automatic") is None


async def test_turning_it_is_kept_with_who_and_why(ledger: Ledger, clock: Clock) -> None:
    off = await ledger.turn_switch("automatic", on=False, actor="sam", reason="odd refunds")
    assert Switch(name="automatic", on=False, actor="sam", reason="odd refunds", at=START) == off
    assert off == await ledger.switch("automatic")
    clock.forward(hours=1)
    on = await ledger.turn_switch("automatic", on=True, actor="kim", reason="it was a campaign")
    assert on == await ledger.switch("automatic")
    said = [(entry.event, entry.data["on"], entry.data["actor"]) for entry in await ledger.audit_entries()]
    assert [("switch.turned", False, "sam"), ("switch.turned", True, "kim")] == said


async def test_the_first_to_turn_it_off_keeps_the_word(ledger: Ledger) -> None:
    await asyncio.gather(
        *(ledger.turn_switch("automatic", on=False, actor=f"agent-{n}", reason="odd") for n in range(5))
    )
    [entry] = await ledger.audit_entries()
    kept = await ledger.switch("automatic")
    assert kept is not None
    assert entry.data["actor"] == kept.actor
