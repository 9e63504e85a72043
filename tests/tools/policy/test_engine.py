from datetime import timedelta

import pytest

from tests.tools.policy.make import NOW, asked
from tools.money import Money
from tools.policy.engine import SILENCE, PolicyEngine
from tools.policy.rule import Said
from tools.policy.subscriptions import Upgrade

ENGINE = PolicyEngine.load(clock=lambda: NOW)


def test_the_verdict_names_rule_reason_section_and_version() -> None:
    verdict = ENGINE.evaluate(asked(amount=Money(48000, "usd"), refundable=Money(48000, "usd"), interval="year"))

    assert verdict.rule == "refund.automatic-limit"
    assert verdict.because == "$480.00 is above the automatic limit of $100.00."
    assert (verdict.document, verdict.anchor) == ("refunds", "limits-and-approval")
    assert verdict.policy_version == ENGINE.version == "2026-11-20"


def test_the_trace_keeps_rules_that_had_nothing_to_say() -> None:
    trace = ENGINE.evaluate(asked()).trace

    assert [(t.rule, t.outcome) for t in trace] == [
        ("refund.disputed", None),
        ("refund.over-refundable", None),
        ("refund.window", "auto"),
        ("refund.automatic-limit", None),
        ("refund.frequency", None),
        ("refund.daily-limit", None),
        ("refund.daily-count", None),
    ]


def test_an_old_request_can_be_judged_as_of_its_day() -> None:
    request = asked(charged_at=NOW - timedelta(days=90))

    assert ENGINE.evaluate(request).outcome == "deny"
    assert ENGINE.evaluate(request, at=NOW - timedelta(days=80)).outcome == "auto"


def test_where_no_rule_speaks_a_person_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Upgrade, "says", lambda _rule, _asked: Said(None, "Nothing to say."))
    verdict = ENGINE.evaluate(asked(kind="change_subscription", upgrade=True))

    assert ("needs_approval", "change.upgrade", SILENCE, 1) == (
        *(verdict.outcome, verdict.rule, verdict.because, verdict.people),
    )


@pytest.mark.parametrize(("days", "outcome"), [(29, "auto"), (31, "deny")])
def test_a_time_without_a_zone_is_utc(days: int, outcome: str) -> None:
    """An engine that raises would be an engine that nobody asks."""
    request = asked(charged_at=(NOW - timedelta(days=days)).replace(tzinfo=None))

    assert outcome == ENGINE.evaluate(request, at=NOW).outcome
    assert outcome == ENGINE.evaluate(request, at=NOW.replace(tzinfo=None)).outcome
