"""What people, processes, Stripe and time can do to a case; a schedule is a list of it that can be read."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis

from tests.chaos.actors import Killed, Process
from tests.chaos.arena import Arena
from tests.chaos.settled import Story
from tests.chaos.trades import Wish, dispute, meddle
from tests.tools.billing.test_fault_matrix import AFTER, BEFORE
from tools.errors import CounterfoilError
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action

STALE = "0" * 64
PEOPLE = ("sam", "kim", "lee")
FAULTS = [fault for fault in (*BEFORE, *AFTER) if not fault["kind"].startswith("hang")]
"""Those that nobody has to wait for."""


@dataclass(frozen=True)
class Move:
    verb: str
    case: int = 0
    how: Any = ""
    server: int = 0

    def __repr__(self) -> str:
        how = f" {' '.join(map(str, self.how))}" if isinstance(self.how, tuple) else f" {self.how}" if self.how else ""
        return f"{self.verb}{'ab'[self.server]}({self.case}{how})"


@dataclass(frozen=True)
class Both:
    """At once, on both servers or on one."""

    first: Move
    second: Move

    def __repr__(self) -> str:
        return f"[{self.first!r} | {self.second!r}]"


@dataclass(frozen=True)
class Schedule:
    wishes: tuple[Wish, ...]
    moves: tuple[Move | Both, ...]

    def __repr__(self) -> str:
        return f"{', '.join(map(repr, self.wishes))}: {' '.join(map(repr, self.moves))}"


@dataclass
class Play:
    """A schedule under way. What is refused is no matter; what breaks a law shows at the end."""

    arena: Arena
    wishes: tuple[Wish, ...]
    actions: list[Action] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Move by move, what came of it."""
    stories: list[Story] = field(default_factory=list)
    """At the end."""

    def told(self) -> str:
        return "\n".join(["", *map(repr, self.wishes), *self.said, *(story.name for story in self.stories)])

    async def begin(self) -> None:
        self.actions = [await self.arena.opened(wish) for wish in self.wishes]

    async def do(self, step: Move | Both) -> None:
        parts = (step.first, step.second) if isinstance(step, Both) else (step,)
        ended = await asyncio.gather(*(self._one(part) for part in parts), return_exceptions=True)
        for part, end in zip(parts, ended, strict=True):
            self._note(part, end)
        for place, process in enumerate(self.arena.processes):
            if process.life.dead:
                self.arena.restart(place)

    async def _one(self, move: Move) -> None:
        case = move.case % len(self.actions)
        await VERBS[move.verb](self, move, self.actions[case], self.wishes[case])

    def _note(self, move: Move, end: BaseException | None) -> None:
        if end is not None and not isinstance(end, CounterfoilError | Killed):
            raise end
        self.said.append(f"{move!r}{f': {type(end).__name__}' if end else ''}")

    def process(self, move: Move) -> Process:
        return self.arena.processes[move.server]


Verb = Callable[[Play, Move, Action, Wish], Awaitable[Any]]


async def confirms(play: Play, move: Move, action: Action, _: Wish) -> None:
    digest = STALE if move.how == "stale" else action.digest
    await play.process(move).cases.confirm(action.id, digest=digest)


async def declines(play: Play, move: Move, action: Action, _: Wish) -> None:
    await play.process(move).cases.decline(action.id, digest=action.digest)


async def withdraws(play: Play, move: Move, action: Action, _: Wish) -> None:
    await play.process(move).cases.withdraw(action.id, digest=action.digest, why="changed their mind")


async def approves(play: Play, move: Move, action: Action, _: Wish) -> None:
    await _decides(play, move, action, approve=True)


async def rejects(play: Play, move: Move, action: Action, _: Wish) -> None:
    await _decides(play, move, action, approve=False)


async def _decides(play: Play, move: Move, action: Action, *, approve: bool) -> None:
    agent, _, stale = move.how.partition(" ")
    digest = STALE if stale else action.digest
    cases = play.process(move).cases
    await cases.decide(action.id, digest=digest, approve=approve, agent=agent, reason="looked at it")


async def goes_on(play: Play, move: Move, action: Action, _: Wish) -> None:
    await play.process(move).cases.go_on(action.id)


async def sweeps(play: Play, move: Move, _: Action, __: Wish) -> None:
    await play.arena.sweep(move.server)


async def dies(play: Play, move: Move, _: Action, __: Wish) -> None:
    """Soon: at the n-th call of that layer, before or after it was done."""
    layer, call, side = move.how
    play.process(move).life.ends_at(layer, call, after=side == "after")


async def stripe_fails(play: Play, move: Move, _: Action, __: Wish) -> None:
    number, method, count = move.how
    play.arena.town.sandbox.fault(method=method, path="/v1/", count=count or None, **FAULTS[number])


async def stripe_recovers(play: Play, _: Move, __: Action, ___: Wish) -> None:
    play.arena.town.sandbox.clear_faults()


async def is_done_by_hand(play: Play, move: Move, action: Action, wish: Wish) -> None:
    """Part of a charge matters as all of it does; part of anything else may be nothing to us."""
    whole = move.how == "whole"
    if meddle(play.arena.town, wish, whole=whole) and (whole or wish.kind == "refund"):
        play.arena.changed(action.target)


async def is_disputed(play: Play, _: Move, action: Action, wish: Wish) -> None:
    if dispute(play.arena.town, wish) and wish.kind == "refund":
        play.arena.changed(action.target)


async def switches(play: Play, move: Move, _: Action, __: Wish) -> None:
    """Through the process, which may die of it."""
    ledger = play.process(move).cases.context.ledger
    await ledger.turn_switch(AUTOMATIC, on=move.how == "on", actor="lee", reason="to be sure")


async def forgets(play: Play, _: Move, __: Action, ___: Wish) -> None:
    redis = cast("Redis", play.arena.servers[0].saver.redis)
    await redis.flushall()


async def waits(play: Play, move: Move, _: Action, __: Wish) -> None:
    play.arena.wait(timedelta(hours=move.how))


VERBS: dict[str, Verb] = {
    verb.__name__: verb
    for verb in (
        *(confirms, declines, withdraws, approves, rejects, goes_on, sweeps, dies, stripe_fails, stripe_recovers),
        *(is_done_by_hand, is_disputed, switches, forgets, waits),
    )
}


async def played(arena: Arena, schedule: Schedule) -> tuple[Play, list[str]]:
    play = Play(arena, schedule.wishes)
    await play.begin()
    for step in schedule.moves:
        await play.do(step)
    await arena.settle()
    world, broken = await arena.judged()
    play.stories = world.stories
    return play, broken
