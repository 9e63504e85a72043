"""Customers, colleagues, dying processes, a failing Stripe and the clock in any order: the laws of every case hold."""

import time
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.chaos.arena import Arena
from tests.chaos.figures import Say
from tests.chaos.moves import Play, Schedule, played
from tests.chaos.size import SCHEDULES, SEED, WHOLE
from tests.chaos.strategies import schedules

SHARE = {"sqlite": 1.0, "postgresql": 1.0 if WHOLE else 0.25}


@dataclass
class Tally:
    database: str
    ends: Counter[str] = field(default_factory=Counter)
    through: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    played: int = 0
    begun: float = field(default_factory=time.monotonic)

    def add(self, play: Play) -> None:
        self.played += 1
        self.ends.update(story.action.state for story in play.stories)
        self.through.update({state for story in play.stories for state in set(story.states)})
        self.refused.update(said.rpartition(": ")[2] for said in play.said if ": " in said)

    def __str__(self) -> str:
        speed = f"{self.played / (time.monotonic() - self.begun):.1f} a second"
        return "\n".join(
            (
                f"schedules: {self.played} on {self.database}, CHAOS_SEED={SEED}, {speed}",
                f"  cases ended: {_listed(self.ends)}",
                f"  came through: {_listed(self.through)}",
                f"  moves that came to nothing: {_listed(self.refused)}",
            )
        )


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common())


def test_whatever_happens_in_whatever_order_the_laws_hold(arena: Arena, say: Say) -> None:
    tally = Tally(arena.database)

    @seed(SEED)
    @settings(
        max_examples=max(1, int(SCHEDULES * SHARE[arena.database])),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(schedule=schedules())
    def hold(schedule: Schedule) -> None:
        arena.set()
        play, broken = arena.run(played(arena, schedule))
        tally.add(play)
        assert [] == broken, play.told()

    try:
        hold()
    finally:
        say(tally)
