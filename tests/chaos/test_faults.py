"""Every fault of the simulated Stripe at every request of every step that carries an action out.

The requests are not listed here: an undisturbed run of each scene is counted, then each of them is disturbed in turn,
once or until somebody mends it. Then everything works again and the sweep takes up what was left.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.actors import Killed
from tests.chaos.arena import Arena
from tests.chaos.figures import Say
from tests.chaos.size import sampled
from tests.chaos.trades import AT_STRIPE, TRADES, Wish
from tests.tools.billing.test_fault_matrix import AFTER, BEFORE, SLOW, STALE
from tools.errors import CounterfoilError
from tools.ledger.types import Action
from tools.policy.types import ActionKind

FAULTS = [*BEFORE, *AFTER, *SLOW, *STALE]
PEOPLE = ("sam", "kim")
CELLS_OF_A_KIND = {"sqlite": 6, "postgresql": 2}
"""With every `make test`."""
Act = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Cell:
    scene: str
    request: int
    """Which of those that the scene makes."""
    path: str
    fault: dict[str, Any]
    lasting: bool

    @property
    def loses_the_answer(self) -> bool:
        """Done at Stripe, and nobody is told, however often they ask: too few cells to leave to a sample."""
        return self.lasting and self.scene == "fresh" and self.fault == AFTER[0] and not self.path.startswith("GET")

    def __str__(self) -> str:
        how = " ".join(str(value) for value in self.fault.values())
        return (
            f"{self.scene}, {how} {'until mended' if self.lasting else 'once'} at request {self.request}: {self.path}"
        )


async def fresh(arena: Arena, kind: ActionKind) -> Act:
    """The last yes that it takes, the customer's or a colleague's."""
    return await _nearly_agreed(arena, Wish(kind=kind))


async def large(arena: Arena, kind: ActionKind) -> Act:
    """The same of an amount that takes more people."""
    return await _nearly_agreed(arena, Wish(kind=kind, size=TRADES[kind].sizes[-1]))


async def left(arena: Arena, kind: ActionKind) -> Act:
    """A process died before it sent anything: another one looks what became of it."""
    return await _cut_short(arena, kind, after=False)


async def stands(arena: Arena, kind: ActionKind) -> Act:
    """It was done, and the process died before it could write that down."""
    return await _cut_short(arena, kind, after=True)


async def _nearly_agreed(arena: Arena, wish: Wish) -> Act:
    action = await arena.opened(wish)
    cases = arena.processes[0].cases
    people = PEOPLE[: action.approvals_needed] if action.outcome == "needs_approval" else ()

    def approval(agent: str) -> Act:
        return lambda: cases.decide(action.id, digest=action.digest, approve=True, agent=agent, reason="ok")

    steps: list[Act] = [lambda: cases.confirm(action.id, digest=action.digest), *map(approval, people)]
    for step in steps[:-1]:
        await step()
    return steps[-1]


async def _cut_short(arena: Arena, kind: ActionKind, *, after: bool) -> Act:
    last = await fresh(arena, kind)
    arena.processes[0].life.ends_at("mover", 1, after=after)
    with suppress(Killed):
        await last()
    assert arena.processes[0].life.dead
    arena.restart()
    action = await _only(arena)
    return lambda: arena.processes[0].cases.go_on(action.id)


SCENES = {scene.__name__: scene for scene in (fresh, large, left, stands)}


def scenes_of(kind: ActionKind) -> Iterator[str]:
    """Not every kind is treated by its size."""
    return (name for name in SCENES if name != "large" or len(TRADES[kind].sizes) > 1)


def cells_of(arena: Arena, kind: ActionKind) -> list[Cell]:
    cells = []
    for scene in scenes_of(kind):
        for place, path in enumerate(undisturbed(arena, kind, scene), start=1):
            faults = [fault for fault in FAULTS if path.startswith("GET") or fault not in STALE]
            cells += [
                Cell(scene=scene, request=place, path=path, fault=fault, lasting=lasting)
                for fault in faults
                for lasting in (True, False)
            ]
    return cells


def undisturbed(arena: Arena, kind: ActionKind, scene: str) -> list[str]:
    arena.set()
    act = arena.run(SCENES[scene](arena, kind))
    wire = arena.servers[0].wire
    wire.left.clear()
    arena.run(_awaited(act))
    assert "succeeded" == arena.run(_only(arena)).state
    return list(wire.left)


@contextmanager
def disturbed(arena: Arena, cell: Cell) -> Iterator[None]:
    """The request meets the fault; those before it went well."""
    wire = arena.servers[0].wire
    wire.left.clear()

    def order(place: int, method: str, path: str) -> None:
        if place == cell.request:
            arena.town.sandbox.fault(method=method, path=path, count=None if cell.lasting else 1, **cell.fault)

    wire.listener = order
    try:
        yield
    finally:
        wire.listener = None
    assert len(wire.left) >= cell.request, f"{cell} was never made"


def broken_at(arena: Arena, kind: ActionKind, cell: Cell) -> list[str]:
    arena.set()
    act = arena.run(SCENES[cell.scene](arena, kind))
    with disturbed(arena, cell), suppress(CounterfoilError):
        arena.run(_awaited(act))
    arena.run(arena.settle())
    world, broken = arena.run(arena.judged())
    assert 1 == len(world.stories)
    return [f"{kind} {cell}: {law}" for law in broken]


async def _awaited(act: Act) -> None:
    await act()


async def _only(arena: Arena) -> Action:
    found: list[Action] = await arena.ledger.actions()
    [action] = found
    return action


@pytest.mark.parametrize("kind", AT_STRIPE)
def test_a_fault_anywhere_leaves_one_effect_or_none_and_says_which(arena: Arena, kind: ActionKind, say: Say) -> None:
    cells = cells_of(arena, kind)
    chosen = [cell for cell in cells if cell.loses_the_answer]
    chosen += sampled([cell for cell in cells if cell not in chosen], most=CELLS_OF_A_KIND[arena.database])

    arena.took_a_day = 0
    broken = [found for cell in chosen for found in broken_at(arena, kind, cell)]

    counts = f"{len(chosen)} of {len(cells)} cells, {len(broken)} violations"
    say(f"faults: {kind} on {arena.database}, {counts}, {arena.took_a_day} unknown for a day")
    assert [] == broken
