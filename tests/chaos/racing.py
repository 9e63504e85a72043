"""What races are made of: acts of two servers, and hooks that force one between two steps of another."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from nodes.context import Case
from tests.chaos.actors import Hooked
from tests.chaos.arena import Arena
from tests.chaos.settled import Story, World
from tests.chaos.trades import Wish
from tools.errors import CounterfoilError
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action

SMALL = Wish(kind="refund")
LARGE = Wish(kind="refund", size="large")
HUGE = Wish(kind="refund", size="huge")
Ended = list[Case | BaseException]
Act = Callable[[int], Coroutine[Any, Any, Case]]
"""Done by the server at that place."""


def together(arena: Arena, call: str, *acts: Act) -> Ended:
    """One act on each server; none goes past its first `call` of the ledger before both have come to it."""
    barrier = asyncio.Barrier(len(acts))
    for place in range(len(acts)):
        arena.restart(place, ledger=Hooked(arena.servers[place].ledger, call, barrier.wait))

    async def at_once() -> Ended:
        return list(await asyncio.gather(*(act(place) for place, act in enumerate(acts)), return_exceptions=True))

    return arena.run(at_once())


def hooked(arena: Arena, part: str, call: str, hook: Callable[[], Awaitable[Any]], *, after: bool = False) -> None:
    """The first server's next `call` meets the hook."""
    server = arena.servers[0]
    inner = {"ledger": server.ledger, "mover": server.witness(), "billing": server.billing}[part]
    arena.restart(0, **{part: Hooked(inner, call, hook, after=after)})


def proposed(arena: Arena, wish: Wish) -> Action:
    return arena.run(arena.opened(wish))


def waiting(arena: Arena, wish: Wish) -> Action:
    """Confirmed, and before a person."""
    action = proposed(arena, wish)
    case = arena.run(confirm(arena, action)(0))
    assert case.action
    assert "awaiting_approval" == case.action.state
    return action


def confirm(arena: Arena, action: Action) -> Act:
    return lambda place: arena.processes[place].cases.confirm(action.id, digest=action.digest)


def approve(arena: Arena, action: Action, *agents: str) -> Act:
    """Each server has an agent of its own."""
    return lambda place: arena.processes[place].cases.decide(
        action.id, digest=action.digest, approve=True, agent=agents[place % len(agents)], reason="ok"
    )


def reject(arena: Arena, action: Action, agent: str) -> Act:
    return lambda place: arena.processes[place].cases.decide(
        action.id, digest=action.digest, approve=False, agent=agent, reason="no"
    )


def withdraw(arena: Arena, action: Action) -> Act:
    return lambda place: arena.processes[place].cases.withdraw(action.id, digest=action.digest, why="kept it")


def go_on(arena: Arena, action: Action) -> Act:
    return lambda place: arena.processes[place].cases.go_on(action.id)


def settled(arena: Arena) -> World:
    """At rest, and by every law."""
    arena.run(arena.settle())
    world, broken = arena.run(arena.judged())
    assert [] == broken
    return world


def end_of(arena: Arena, action: Action) -> Story:
    return next(story for story in settled(arena).stories if story.action.id == action.id)


def refused(ended: Ended) -> list[type]:
    unexpected = [end for end in ended if isinstance(end, BaseException) and not isinstance(end, CounterfoilError)]
    assert [] == unexpected
    return [type(end) for end in ended if isinstance(end, BaseException)]


async def turn(arena: Arena, *, on: bool) -> None:
    await arena.ledger.turn_switch(AUTOMATIC, on=on, actor="lee", reason="to be sure")


class Died(BaseException):
    """The process that made the call is no more."""


async def dies() -> None:
    raise Died


def later(work: Callable[..., object], *args: Any, **kwargs: Any) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        work(*args, **kwargs)

    return done


def refunded(arena: Arena, action: Action) -> int:
    return sum(refund.amount for refund in arena.town.v1.refunds.list({"charge": action.target}).data)
