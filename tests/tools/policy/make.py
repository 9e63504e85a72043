"""Requests of every kind, ordinary ones by hand and all others by Hypothesis."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from tools.money import Money
from tools.policy.rule import STRICTNESS
from tools.policy.types import ActionKind, ActionRequest, Ground, Verdict

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KINDS: tuple[ActionKind, ...] = get_args(ActionKind)
CURRENCIES = ("usd", "eur", "gbp", "jpy", "kwd", "sek")


def asked(**changes: Any) -> ActionRequest:
    """A refund of 49 USD that was charged yesterday, with changes."""
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
    return replace(base, **changes)


def strictness(verdict: Verdict) -> tuple[int, int]:
    """By outcome, then by how many people have to agree."""
    return STRICTNESS[verdict.outcome], verdict.people


LIMITS = (8000, 10000, 15000, 20000, 30000, 50000, 100000, 150000, 200000, 300000, 1000000)
"""Of the packaged rules, in whichever currency."""
AROUND_LIMITS = tuple(limit + off for limit in LIMITS for off in (-1, 0, 1))
sums = st.sampled_from(AROUND_LIMITS) | st.integers(0, 10**7)
currencies = st.sampled_from(CURRENCIES)
moneys = st.builds(Money, sums, currencies)
# Each of these alone can decide, so most requests have none: else hardly a limit would ever be heard.
_odd = st.just(frozenset[str]()) | st.frozensets(
    st.sampled_from(["disputed", "extended_before", "unplanned", "by_staff", "stopped"]), max_size=2
)
_few = st.just(0) | st.integers(0, 12)


ORDINARY = [
    asked(
        kind=kind,
        ground=ground,
        amount=Money(4900, currency),
        refundable=Money(10**9, currency),
        instalments=3,
        pause_months=2,
        extension_days=7,
        upgrade=True,
        planned=True,
    )
    for kind in KINDS
    for ground in (get_args(Ground) if kind == "refund" else ("customer_request",))
    for currency in ("usd", "sek")
]
"""Of every kind and ground, such that only what a law changes can decide."""


def requests() -> st.SearchStrategy[ActionRequest]:
    return st.sampled_from(ORDINARY) | _anything()


@st.composite
def _anything(draw: st.DrawFn) -> ActionRequest:
    """Mostly in one currency and within what is left, as nearly all requests are."""
    amount = draw(moneys)
    same = st.builds(Money, sums, st.just(amount.currency))
    plenty = st.just(Money(10**9, amount.currency))
    odd, parts, refunds, others = draw(_odd), draw(st.none() | st.integers(-1, 16)), draw(_few), draw(_few)
    return ActionRequest(
        kind=draw(st.sampled_from(KINDS)),
        ground=draw(st.sampled_from(get_args(Ground))),
        customer="cus_1",
        target="target_1",
        amount=amount,
        refundable=draw(plenty | plenty | st.just(amount) | same | moneys),
        disputed="disputed" in odd,
        charged_at=NOW - timedelta(days=draw(st.integers(0, 60) | st.integers(0, 4000))),
        interval=draw(st.sampled_from(["month", "month", "year", None, "day", "week"])),
        refunds_last_year=refunds,
        refunded_last_day=draw(st.none() | same | moneys),
        refunds_last_day=draw(st.integers(0, refunds)),
        changes_last_day=others,
        instalments=parts,
        pause_months=parts,
        extension_days=parts,
        extended_before="extended_before" in odd,
        plans_running=others,
        upgrade=draw(st.sampled_from([True, False, None])),
        planned="unplanned" not in odd,
        by_staff="by_staff" in odd,
        automatic="stopped" not in odd,
    )
