import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.ledger.builders import an_action
from tools.errors import Unprocessable
from tools.ledger.digest import canonical, digest_of, own_digest, plain, sha256_of
from tools.ledger.types import Action
from tools.money import Money

text = st.text(st.characters(codec="utf-8"), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(text, json_values, max_size=5)
terms = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["refund", "cancel_subscription", "payment_plan"]),
        "customer": text,
        "target": text,
        "amount": st.builds(Money, st.integers(), st.sampled_from(["usd", "eur", "jpy"])),
        "policy_version": text,
        "evidence": documents,
    }
)


def turned_round(value: Any) -> Any:
    """The same value with every dict built the other way round."""
    match value:
        case dict():
            return {key: turned_round(value[key]) for key in reversed(value)}
        case list():
            return [turned_round(item) for item in value]
        case _:
            return value


@given(terms, terms)
def test_digests_are_equal_exactly_when_all_terms_are(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (canonical(one) == canonical(other)) == (digest_of(**one) == digest_of(**other))


@given(terms, terms, st.sampled_from(["kind", "customer", "target", "amount", "policy_version", "evidence"]))
def test_a_change_of_any_one_term_changes_the_digest(one: dict[str, Any], other: dict[str, Any], field: str) -> None:
    changed = one | {field: other[field]}
    assert (canonical(one[field]) != canonical(other[field])) == (digest_of(**one) != digest_of(**changed))


@given(terms)
def test_the_order_of_keys_means_nothing(one: dict[str, Any]) -> None:
    assert digest_of(**one) == digest_of(**one | {"evidence": turned_round(one["evidence"])})


@given(text, text)
def test_terms_do_not_run_into_each_other(left: str, right: str) -> None:
    action = an_action(customer=left + "x", target=right)
    assert action.digest != an_action(customer=left, target="x" + right).digest


@given(json_values)
def test_canonical_json_reads_back_and_stays_as_it_is(value: Any) -> None:
    again = json.loads(canonical(value))
    assert value == again
    assert canonical(value) == canonical(again)


def test_canonical_json_is_compact_sorted_and_utf8() -> None:
    value = {"b": (1, 2.5), "a": "ü\n", "m": Money(5, "EUR"), "d": date(2026, 1, 2), "n": None, "t": True}
    expected = '{"a":"ü\\n","b":[1,2.5],"d":"2026-01-02","m":{"amount":5,"currency":"eur"},"n":null,"t":true}'
    assert expected.encode() == canonical(value)


def test_a_moment_has_one_spelling() -> None:
    moment = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert canonical(moment) == b'"2026-11-23T09:00:00Z"'
    assert canonical(moment) == canonical(moment.astimezone(timezone(timedelta(hours=-5))))
    assert plain(moment + timedelta(microseconds=1)) == "2026-11-23T09:00:00.000001Z"


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 23),  # noqa: DTZ001 - that is the point
        float("nan"),
        float("inf"),
        {1: "a"},
        {None: "a"},
        {"a": {"b"}},
        object(),
        b"bytes",
        "half of \ud83d",
        {"\ud83d": 1},
    ],
)
def test_what_has_no_single_form_is_refused(value: Any) -> None:
    with pytest.raises(Unprocessable):
        sha256_of({"value": value})


def test_what_executing_relies_on_is_in_the_digest_and_what_people_read_is_not() -> None:
    changed: dict[str, Any] = {
        "kind": "payment_plan",
        "customer": "cus_2",
        "target": "ch_2",
        "amount": Money(4900, "eur"),
        "policy_version": "2",
        "evidence": {"charge": "ch_1", "amount_refunded": 1},
    }
    action = an_action()
    for name in (field.name for field in fields(Action)):
        other = replace(action, **{name: changed.get(name, "another")})
        assert (name in changed) == (own_digest(other) != action.digest), name
