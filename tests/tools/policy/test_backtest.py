"""The past, as a real ledger recorded it, under other rules."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import Clock
from tests.tools.policy.make import NOW, asked
from tools.errors import Unprocessable
from tools.ledger.ledger import Ledger
from tools.ledger.types import Assessment
from tools.money import Money
from tools.policy.backtest import Comparison, replay
from tools.policy.engine import PolicyEngine
from tools.policy.rules import PACKAGED
from tools.policy.types import ActionRequest, Verdict

REQUESTS = TypeAdapter(ActionRequest)
VERDICTS = TypeAdapter(Verdict)
NEWER = ("refunds_last_day", "changes_last_day", "pause_months", "extension_days", "extended_before",
         "plans_running", "upgrade", "planned", "by_staff", "automatic")  # fmt: skip
"""Facts that the first release did not record."""

Change = Callable[[dict[str, Any]], None]
PACKAGED_ENGINE = PolicyEngine.load()


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def refund(amount: Money, **changes: Any) -> ActionRequest:
    return asked(amount=amount, refundable=amount, **changes)


@pytest.fixture
def other(tmp_path: Path) -> Callable[[Change], PolicyEngine]:
    """The packaged rules with a change."""

    def make(change: Change) -> PolicyEngine:
        rules = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
        change(rules)
        path = tmp_path / "other.yaml"
        path.write_text(yaml.safe_dump(rules), encoding="utf-8")
        return PolicyEngine.load(path)

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
async def ledger(tmp_path: Path, clock: Clock) -> Any:
    async with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock, keys=KEYS) as opened:
        yield opened


async def record(ledger: Ledger, case: str, request: ActionRequest, *, at: datetime = NOW) -> None:
    """As `assess_policy` does."""
    verdict = PACKAGED_ENGINE.evaluate(request, at=at)
    await ledger.record_assessment(
        case,
        "thread-1",
        "proposal",
        request=REQUESTS.dump_python(request, mode="json"),
        verdict=VERDICTS.dump_python(verdict, mode="json"),
    )


async def recorded(ledger: Ledger) -> list[Assessment]:
    return [
        each async for each in ledger.each_assessment(since=NOW - timedelta(days=1), until=NOW + timedelta(days=999))
    ]


async def compare(ledger: Ledger, new: PolicyEngine) -> Comparison:
    comparison = Comparison()
    for each in await recorded(ledger):
        comparison.add(replay(each, PACKAGED_ENGINE, new))
    return comparison


def lower_limit(rules: dict[str, Any]) -> None:
    rules["refund"]["automatic_limit"]["limits"] |= {"usd": 5000, "jpy": 20000}


async def test_the_same_rules_change_nothing(ledger: Ledger) -> None:
    await record(ledger, "case-1", refund(usd(4900)))
    await record(ledger, "case-2", refund(usd(48000)))
    comparison = await compare(ledger, PACKAGED_ENGINE)

    assert (comparison.requests, comparison.changed, list(comparison.changes())) == (2, 0, [])


async def test_what_changes_is_counted_by_kind_and_outcome_and_summed_by_currency(
    ledger: Ledger, other: Callable[[Change], PolicyEngine]
) -> None:
    amounts = [usd(4900), usd(6000), usd(7000), usd(48000), Money(15001, "jpy")]
    for number, amount in enumerate(amounts):
        await record(ledger, f"case-{number}", refund(amount))
    await record(ledger, "plan", asked(kind="payment_plan", amount=usd(120000), instalments=6))

    def change(rules: dict[str, Any]) -> None:
        lower_limit(rules)
        rules["payment_plan"]["instalments"]["most"] = 4

    comparison = await compare(ledger, other(change))

    assert [(move, total.count, total.money()) for move, total in comparison.changes()] == [
        (("payment_plan", "automatic", "denied"), 1, [usd(120000)]),
        (("refund", "automatic", "one person"), 2, [usd(13000)]),
        (("refund", "one person", "automatic"), 1, [Money(15001, "jpy")]),
    ]
    assert (comparison.requests, comparison.changed) == (6, 4)
    assert comparison.becoming("one person").money() == [usd(13000)]
    assert comparison.becoming("two people").count == 0


async def test_a_second_person_is_a_change_too(ledger: Ledger, other: Callable[[Change], PolicyEngine]) -> None:
    await record(ledger, "case-1", refund(usd(48000)))
    new = other(lambda rules: rules["approval"]["two_people"]["above"].update(usd=40000))

    ((move, total),) = (await compare(ledger, new)).changes()
    assert (("refund", "one person", "two people"), 1) == (move, total.count)


async def test_another_rule_with_the_same_outcome_is_no_change(
    ledger: Ledger, other: Callable[[Change], PolicyEngine]
) -> None:
    await record(ledger, "case-1", refund(usd(48000)))
    new = other(lambda rules: rules["refund"]["automatic_limit"].update(id="refund.renamed"))
    (each,) = await recorded(ledger)
    replayed = replay(each, PACKAGED_ENGINE, new)

    assert replayed.before.rule != replayed.after.rule
    assert replayed.changed is False


async def test_a_request_is_judged_as_of_its_own_time(ledger: Ledger, clock: Clock) -> None:
    """A charge that was 29 days old at the time is no older for being looked at a year later."""
    clock.forward(days=365)
    await record(ledger, "case-1", refund(usd(4900), charged_at=clock.now - timedelta(days=29)), at=clock.now)
    await record(ledger, "case-2", refund(usd(4900), charged_at=clock.now - timedelta(days=31)), at=clock.now)
    replays = [replay(each, PACKAGED_ENGINE, PACKAGED_ENGINE) for each in await recorded(ledger)]

    assert {"case-1": "auto", "case-2": "deny"} == {each.case: each.after.outcome for each in replays}


async def test_a_replay_under_the_recording_rules_says_what_was_said(ledger: Ledger) -> None:
    requests = [
        refund(usd(10001)),
        refund(usd(4900), automatic=False),
        asked(kind="pause_subscription", pause_months=9),
    ]
    for number, request in enumerate(requests):
        await record(ledger, f"case-{number}", request)

    for each in await recorded(ledger):
        assert VERDICTS.validate_python(each.verdict) == replay(each, PACKAGED_ENGINE, PACKAGED_ENGINE).before


async def test_a_request_of_an_older_release_is_replayed_with_what_it_has(ledger: Ledger) -> None:
    request = {name: value for name, value in REQUESTS.dump_python(refund(usd(4900)), mode="json").items()
               if name not in NEWER}  # fmt: skip
    verdict = {"outcome": "auto", "rule": "refund.window", "policy_version": "2026-11-01"}
    await ledger.record_assessment("case-1", "thread-1", "proposal", request=request, verdict=verdict)
    (each,) = await recorded(ledger)

    assert "automatic" not in each.request
    assert "auto" == replay(each, PACKAGED_ENGINE, PACKAGED_ENGINE).after.outcome


async def test_a_request_of_a_newer_release_is_replayed_without_what_is_not_known_here(ledger: Ledger) -> None:
    request = REQUESTS.dump_python(refund(usd(4900)), mode="json") | {"phase_of_the_moon": "full"}
    verdict = {"outcome": "auto", "rule": "refund.window", "policy_version": "2027-01-01"}
    await ledger.record_assessment("case-1", "thread-1", "proposal", request=request, verdict=verdict)
    (each,) = await recorded(ledger)

    assert "auto" == replay(each, PACKAGED_ENGINE, PACKAGED_ENGINE).after.outcome


async def test_a_request_that_cannot_be_read_names_its_case_and_field(ledger: Ledger) -> None:
    request = REQUESTS.dump_python(refund(usd(4900)), mode="json") | {"kind": "gift"}
    verdict = {"outcome": "auto", "rule": "gift.always", "policy_version": "2025-01-01"}
    await ledger.record_assessment("case-1", "thread-1", "proposal", request=request, verdict=verdict)
    (each,) = await recorded(ledger)

    with pytest.raises(Unprocessable, match=re.escape("The request of case case-1 cannot be read: kind: ")):
        replay(each, PACKAGED_ENGINE, PACKAGED_ENGINE)
