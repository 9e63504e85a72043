"""A process is killed at a point between a customer's yes and the receipt; another one starts a minute later.

Every kind of action, on both databases, at every point: `make chaos`. What can be told apart from outside only is what
was written, so `make test` kills after each write to the ledger, to Stripe and to the checkpoints, a refund also after
each other kind of write once; on PostgreSQL a refund, after those to ledger and Stripe.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import pytest

from tests.chaos.forks import Forks
from tests.chaos.laws import World, violations
from tests.chaos.life import Place
from tests.chaos.points import Point
from tests.chaos.stage import KINDS, Database, Stage
from tests.chaos.table import COLUMNS, PROPERTY
from tests.fixtures.sandbox import Sandbox

WHOLE = os.environ.get("CHAOS") == "whole"
MONEY = frozenset({"tools/ledger", "tools/billing"})
KEPT = MONEY | {"graphs/redis_saver"}
ENOUGH = 20
"""Violations that it stops at: what never comes to rest takes its time at every point."""
MOST_UNREACHED = 0.05
"""Of all points: a few are there by the clock, such as the renewal of a lease in a run that takes long."""


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def stage(request: pytest.FixtureRequest, forks: Forks, database: Database, sandbox: Sandbox, place: Place) -> Stage:
    return Stage.prepare(request.param, forks=forks, database=database, sandbox=sandbox, place=place)


Record = Callable[[str, object], None]
EVERYWHERE = [(kind, database) for kind in KINDS for database in ("sqlite", "postgresql")]
STRAIGHT = EVERYWHERE if WHOLE else [*((kind, "sqlite") for kind in KINDS), (KINDS[0], "postgresql")]
AGAIN = EVERYWHERE if WHOLE else [(KINDS[0], "sqlite")]


@pytest.mark.parametrize(
    ("stage", "database"), STRAIGHT, indirect=True, ids=lambda given: getattr(given, "name", given)
)
def test_wherever_a_process_dies_there_is_one_effect_and_the_customer_is_told_the_truth(
    stage: Stage, record_property: Record
) -> None:
    points, stage = undisturbed(stage)
    rooms = KEPT if stage.database.name == "sqlite" else MONEY
    chosen = points if WHOLE else sampled(points, rooms, others=(stage.kind, rooms) == (KINDS[0], KEPT))

    check(stage.kind.name, stage, points, {point: partial(stage.killed_at, point) for point in chosen}, record_property)


@pytest.mark.parametrize(("stage", "database"), AGAIN, indirect=True, ids=lambda given: getattr(given, "name", given))
def test_so_it_is_where_the_process_that_mends_it_dies_too(stage: Stage, record_property: Record) -> None:
    """The first died when Stripe had done it and nobody had heard: who comes next reads Stripe before anything else."""
    straight, stage = undisturbed(stage)
    first = next(point for point in straight if point.writes and point.room == "tools/billing")
    points = stage.points_of_mending(first)
    chosen = [point for point in points if point.room in KEPT and (WHOLE or point.writes)]

    deaths = {point: partial(stage.killed_again_at, first, point) for point in chosen}
    check(f"{stage.kind.name}, again", stage, points, deaths, record_property)


@pytest.mark.parametrize(("stage", "database"), AGAIN, indirect=True, ids=lambda given: getattr(given, "name", given))
def test_so_it_is_where_the_process_dies_that_finds_out_what_became_of_it(
    stage: Stage, record_property: Record
) -> None:
    """Whoever settled it and died before telling left a customer who was told nothing, and nobody who knew."""
    _, stage = undisturbed(stage)
    stage = stage.after_a_lost_answer()
    points = stage.points_of_finding_out()
    chosen = [point for point in points if point.room in KEPT and (WHOLE or point.writes)]

    deaths = {point: partial(stage.killed_finding_out_at, point) for point in chosen}
    check(f"{stage.kind.name}, lost", stage, points, deaths, record_property)


def undisturbed(stage: Stage) -> tuple[list[Point], Stage]:
    """The points of a run that nothing happens to, and the stage that knows what it promises."""
    points, world = stage.points(), stage.look()
    assert [] == violations(world)
    assert KEPT <= {point.room for point in points if point.writes}, "what is written there is not watched"
    return points, replace(stage, promised=world.facts.promises)


def check(
    name: str, stage: Stage, points: list[Point], deaths: Mapping[Point, Callable[[], World | None]], record: Record
) -> None:
    killed, unreached, broken = 0, list[str](), list[str]()
    for point, world_after in deaths.items():
        if (world := world_after()) is None:
            unreached.append(str(point))
            continue
        killed += 1
        broken += [f"{point}: {law}" for law in violations(world)]
        if len(broken) >= ENOUGH:
            break
    row = name, stage.database.name, len(points), killed, len(unreached), len(broken)
    record(PROPERTY, dict(zip(COLUMNS, row, strict=True)))
    assert [] == broken
    assert len(unreached) <= MOST_UNREACHED * len(deaths), unreached


def sampled(points: list[Point], rooms: frozenset[str], *, others: bool) -> list[Point]:
    """The first point of all, each write of these rooms, and of `others` each kind of write once."""
    writes = [point for point in points if point.writes]
    return [
        points[0],
        *(point for point in writes if point.room in rooms),
        *(point for point in writes if others and point.room not in rooms and point.time == 1),
    ]
