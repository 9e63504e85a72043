"""The laws of the matrix, on worlds that break them: a matrix that finds nothing must have been able to."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.laws import LAWS, Facts, Line, World, violations
from tests.chaos.points import Point
from tests.chaos.table import COLUMNS, lines
from tests.chaos.test_crash_matrix import KEPT, MONEY, sampled

DONE = "Done: $49.00 has been refunded. Your receipt number is CF-2026-000001."
FACTS = Facts(
    state="succeeded",
    states=["proposed", "confirmed", "executing", "succeeded"],
    effects=[("done", "re_1")],
    receipt="CF-2026-000001",
    receipts_issued=1,
    receipt_verifies=True,
    promises=["refund_arrives"],
    audit_checked=9,
    audit_entries=9,
    runs=["success", "success"],
    lines=[
        Line("m1", "customer", "I was charged twice"),
        Line("m2", "assistant", "Shall I refund $49.00?"),
        Line("m3", "customer", "yes please"),
        Line("m4", "assistant", DONE),
    ],
)
WORLD = World(facts=FACTS, requests=1, done=True, message="m3", before=2, promised=["refund_arrives"])
NOTHING_DONE = replace(
    WORLD,
    requests=0,
    done=False,
    facts=replace(
        FACTS,
        state="failed",
        states=["proposed", "confirmed", "executing", "failed"],
        effects=[("refused", None)],
        receipt=None,
        receipts_issued=0,
        receipt_verifies=None,
        promises=[],
        lines=[*FACTS.lines[:3], Line("m4", "assistant", "It was refused, so nothing was changed.")],
    ),
)


def told(*texts: str) -> list[Line]:
    return [*FACTS.lines[:3], *(Line(f"a{place}", "assistant", text) for place, text in enumerate(texts))]


@pytest.mark.parametrize("world", [WORLD, NOTHING_DONE], ids=["done", "refused"])
def test_a_world_as_it_should_be_breaks_no_law(world: World) -> None:
    assert [] == violations(world)


BROKEN: dict[str, tuple[str, World]] = {
    "refunded twice": ("one_effect_or_none", replace(WORLD, requests=2)),
    "not at Stripe": ("one_effect_or_none", replace(WORLD, requests=0, done=False)),
    "asked before it was written down": ("the_intent_came_first", replace(WORLD, unwitnessed=True)),
    "at Stripe all the same": ("one_effect_or_none", replace(NOTHING_DONE, requests=1, done=True)),
}
DOCTORED: dict[str, tuple[str, dict[str, Any]]] = {
    "left half way": ("a_clear_state", {"state": "executing", "states": ["proposed", "confirmed", "executing"]}),
    "ended twice": ("a_clear_state", {"states": ["proposed", "failed", "succeeded"]}),
    "no intent": ("the_intent_is_kept_and_finished", {"effects": []}),
    "two intents": ("the_intent_is_kept_and_finished", {"effects": [("done", "re_1"), ("done", "re_2")]}),
    "open intent": ("the_intent_is_kept_and_finished", {"effects": [(None, None)]}),
    "no receipt": ("one_receipt_that_verifies", {"receipt": None, "receipts_issued": 0}),
    "two receipts": ("one_receipt_that_verifies", {"receipts_issued": 2}),
    "forged receipt": ("one_receipt_that_verifies", {"receipt_verifies": False}),
    "promise forgotten": ("every_promise_is_kept_in_mind", {"promises": []}),
    "audit cut short": ("the_audit_log_holds", {"audit_checked": 8}),
    "told twice": ("the_customer_is_told_the_truth_once", {"lines": told(DONE, DONE)}),
    "never told": ("the_customer_is_told_the_truth_once", {"lines": told()}),
    "told another number": ("the_customer_is_told_the_truth_once", {"lines": told(DONE.replace("0001", "0002"))}),
    "told that it was not": ("the_customer_is_told_the_truth_once", {"lines": told("I did not carry it out.", DONE)}),
    "said yes twice": ("the_customers_word_is_kept_once", {"lines": [*FACTS.lines, FACTS.lines[2]]}),
    "yes got lost": ("the_customers_word_is_kept_once", {"lines": [*FACTS.lines[:2], FACTS.lines[3]]}),
    "run left over": ("no_run_is_left", {"runs": ["running", "success"]}),
    "run failed": ("no_run_is_left", {"runs": ["error", "success"]}),
}
BROKEN |= {name: (law, replace(WORLD, facts=replace(FACTS, **facts))) for name, (law, facts) in DOCTORED.items()}
BROKEN["claimed all the same"] = (
    "the_customer_is_told_the_truth_once",
    replace(NOTHING_DONE, facts=replace(NOTHING_DONE.facts, lines=told(DONE))),
)


@pytest.mark.parametrize(("law", "world"), BROKEN.values(), ids=BROKEN)
def test_a_broken_law_is_named(law: str, world: World) -> None:
    assert law in {found.partition(":")[0] for found in violations(world)}


def test_every_law_can_be_broken() -> None:
    assert {law.__name__ for law in LAWS} == {law for law, _ in BROKEN.values()}


def test_what_writes_is_sampled_by_room() -> None:
    def point(room: str, call: str, time: int = 1, *, writes: bool = True) -> Point:
        return Point(room, call, time, "after" if writes else "before", writes)

    first = point("tools/ledger", "thread: SELECT", writes=False)
    paid, kept = point("tools/billing", "POST"), point("graphs/redis_saver", "aput", 2)
    told_once, told_again = point("server", "append"), point("server", "append", 2)
    points = [first, paid, kept, told_once, told_again]

    assert [first, paid, kept, told_once] == sampled(points, KEPT, others=True)
    assert [first, paid, kept] == sampled(points, KEPT, others=False)
    assert [first, paid] == sampled(points, MONEY, others=False)


def test_the_table_ends_with_sums() -> None:
    rows: list[dict[str, object]] = [
        dict(zip(COLUMNS, ("refund", database, 10, 4, 0, 1), strict=True)) for database in ("sqlite", "postgresql")
    ]

    assert ["all", "20", "8", "0", "2"] == lines(rows)[-1].split()
