import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.money import Money
from tools.policy.engine import PolicyEngine
from tools.policy.rule import STRICTNESS, Rule
from tools.policy.types import ActionRequest

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENGINE = PolicyEngine.load(clock=lambda: NOW)
KNOWLEDGE = Path(__file__).parents[3] / "knowledge"


def asked(**changes: object) -> ActionRequest:
    base = ActionRequest(
        kind="refund",
        ground="customer_request",
        customer="cus_1",
        target="ch_1",
        amount=Money(4900, "usd"),
        refundable=Money(4900, "usd"),
        disputed=False,
        charged_at=NOW - timedelta(days=1),
        interval="month",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # fields by name


moneys = st.builds(Money, st.integers(0, 10**7), st.sampled_from(["usd", "eur", "gbp", "jpy", "kwd", "sek"]))
requests = st.builds(
    ActionRequest,
    kind=st.sampled_from(["refund", "cancel_subscription", "payment_plan"]),
    ground=st.sampled_from(["duplicate", "charged_after_cancel", "within_window", "goodwill", "customer_request"]),
    customer=st.just("cus_1"),
    target=st.just("ch_1"),
    amount=moneys,
    refundable=moneys,
    disputed=st.booleans(),
    charged_at=st.integers(0, 400).map(lambda days: NOW - timedelta(days=days)),
    interval=st.sampled_from([None, "day", "week", "month", "year"]),
    refunds_last_year=st.integers(0, 6),
    refunded_last_day=st.none() | moneys,
    instalments=st.none() | st.integers(0, 9),
)


@given(requests.filter(lambda request: request.amount.amount > 0), st.integers(0, 10**7))
def test_raising_the_amount_never_loosens_the_verdict(request: ActionRequest, more: int) -> None:
    raised = replace(request, amount=request.amount + Money(more, request.amount.currency))

    assert STRICTNESS[ENGINE.evaluate(request).outcome] <= STRICTNESS[ENGINE.evaluate(raised).outcome]


@given(requests, st.integers(0, 20))
def test_more_refunds_last_year_never_loosen_the_verdict(request: ActionRequest, more: int) -> None:
    more_often = replace(request, refunds_last_year=request.refunds_last_year + more)

    assert STRICTNESS[ENGINE.evaluate(request).outcome] <= STRICTNESS[ENGINE.evaluate(more_often).outcome]


@given(requests, st.integers(1, 400))
def test_an_older_charge_never_loosens_the_verdict(request: ActionRequest, days: int) -> None:
    older = replace(request, charged_at=request.charged_at - timedelta(days=days))

    assert STRICTNESS[ENGINE.evaluate(request).outcome] <= STRICTNESS[ENGINE.evaluate(older).outcome]


@given(requests)
def test_a_refund_beyond_what_is_left_is_always_denied(request: ActionRequest) -> None:
    too_much = replace(request, kind="refund", refundable=request.amount - Money(1, request.amount.currency))

    assert ENGINE.evaluate(too_much).outcome == "deny"


@given(requests)
def test_the_verdict_is_the_strictest_of_its_trace(request: ActionRequest) -> None:
    verdict = ENGINE.evaluate(request)

    said = [trace.outcome for trace in verdict.trace if trace.outcome]
    assert max(said, key=STRICTNESS.__getitem__) == verdict.outcome


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


def anchors_of(document: str) -> set[str]:
    headings = re.findall(r"^## (.+)$", (KNOWLEDGE / f"{document}.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") for heading in headings}


@pytest.mark.parametrize("rule", list(ENGINE.rules.cited()), ids=lambda rule: rule.id)
def test_every_rule_cites_a_section_that_customers_can_read(rule: Rule) -> None:
    assert rule.anchor in anchors_of(rule.document)
