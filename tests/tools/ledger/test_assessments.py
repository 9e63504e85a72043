from typing import Any

from tests.tools.ledger.builders import START, Clock
from tools.ledger.ledger import Ledger

AUTO: dict[str, Any] = {"outcome": "auto", "rule": "refund.window", "policy_version": "2026-11-01", "because": "young"}
DENY = AUTO | {"outcome": "deny", "because": "old"}


async def test_what_policy_said_is_kept_once_with_its_request(ledger: Ledger) -> None:
    for _ in range(2):
        await ledger.record_assessment("case", "thread", "proposal", request={"kind": "refund"}, verdict=AUTO)
    [kept] = await ledger.assessments_of("case")
    assert ("auto", "refund.window", "2026-11-01", {"kind": "refund"}, AUTO, START) == (
        kept.outcome,
        kept.rule,
        kept.policy_version,
        kept.request,
        kept.verdict,
        kept.at,
    )
    assert ["policy.evaluated"] == [entry.event for entry in await ledger.audit_entries()]


async def test_a_case_is_weighed_again_before_it_is_carried_out(ledger: Ledger, clock: Clock) -> None:
    await ledger.record_assessment("case", "thread", "proposal", request={}, verdict=AUTO)
    clock.forward(days=1)
    await ledger.record_assessment("case", "thread", "execution", request={}, verdict=DENY)
    assert ["auto", "deny"] == [one.outcome for one in await ledger.assessments_of("case")]


async def test_proposals_are_replayed_oldest_first_within_their_window(ledger: Ledger, clock: Clock) -> None:
    for day in range(4):
        await ledger.record_assessment(f"case-{day}", "thread", "proposal", request={}, verdict=AUTO)
        await ledger.record_assessment(f"case-{day}", "thread", "execution", request={}, verdict=AUTO)
        clock.forward(days=1)
    since, until = START.replace(day=START.day + 1), START.replace(day=START.day + 3)
    found = [(one.case, one.step) async for one in ledger.each_assessment(since=since, until=until)]
    assert [("case-1", "proposal"), ("case-2", "proposal")] == found
