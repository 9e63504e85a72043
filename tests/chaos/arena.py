"""Two servers, one ledger, one Redis, one Stripe: put back for every schedule, cell and race, and judged after it."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from graphs.cases import GraphCases
from tests.chaos.actors import Clock, Process, Server
from tests.chaos.settled import World, story_of, violations, world_of
from tests.chaos.shelves import Shelf
from tests.chaos.town import Town
from tests.chaos.trades import TRADES, Wish, asked_for, deeds_of
from tests.fixtures.sandbox import Sandbox
from tools.errors import CounterfoilError, IllegalTransition
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action

T = TypeVar("T")
THREAD = "thread"
REST = timedelta(minutes=10)
"""Between the last two rounds of the sweep: what waits for a while has had its while."""
A_DAY = timedelta(hours=24)
"""Stripe gives a 500 again to the same key for so long; an early step of several then holds the rest up."""
ROUNDS = 6


@dataclass
class Arena:
    town: Town
    shelf: Shelf
    runner: asyncio.Runner
    clock: Clock
    servers: list[Server]
    processes: list[Process] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Of the last round of the sweep."""
    took_a_day: int = 0
    """How often something was unknown for as long as Stripe remembers a key."""
    deadlines: dict[str, datetime | None] = field(default_factory=dict)
    """Until when each proposal could be agreed to."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def set(self) -> None:
        self.town.put_back()
        self.shelf.empty()
        self.clock.ahead = timedelta()
        self.run(self._begin())

    async def _begin(self) -> None:
        await self.servers[0].saver.redis.flushdb()
        await self.servers[0].ledger.create_thread(THREAD, "somebody", {})
        for server in self.servers:
            server.seen.clear()
            server.changed.clear()
        self.processes = [server.process() for server in self.servers]

    def changed(self, target: str) -> None:
        """Not while somebody is between looking and writing: nobody can do both in one step."""
        for server in self.servers:
            server.changed.add(target)

    def wait(self, time: timedelta) -> None:
        """Ours and Stripe's."""
        self.clock.ahead += time
        self.town.sandbox.advance(int(time.total_seconds()))

    def restart(self, place: int = 0, **parts: Any) -> Process:
        """Whatever ran there is gone; `parts` of the context are replaced."""
        self.processes[place] = Process(self.servers[place], **parts)
        return self.processes[place]

    async def opened(self, wish: Wish, **more: Any) -> Action:
        request, details = asked_for(self.town, wish)
        cases = self.processes[0].cases
        asked = {"request": request, "details": details, "proposer": wish.proposer, **more}
        case = await cases.open(str(uuid4()), thread=THREAD, **asked)
        assert case.action, f"{wish} was denied: {case.verdict}"
        self.deadlines[case.action.id] = case.action.deadline
        return case.action

    async def sweep(self, place: int = 0) -> None:
        """As the server's sweep does it; what one case raises is no business of the next."""
        self.errors = []
        cases = self.processes[place].cases
        await self._expire(cases)
        for action in await cases.context.ledger.unfinished_actions():
            try:
                await cases.go_on(action.id)
            except CounterfoilError as error:
                self.errors.append(f"{action.kind} {action.state}: {type(error).__name__}: {error}")

    async def _expire(self, cases: GraphCases) -> None:
        ledger = cases.context.ledger
        for action in await ledger.overdue_actions():
            with suppress(IllegalTransition):
                await ledger.move_action(action.id, "expired", actor="code", reason="its time is over")
                await cases.go_on(action.id)

    async def settle(self) -> None:
        """Everything works again, and the sweep comes by until nothing moves, and once more after a rest."""
        self.town.sandbox.clear_faults()
        for place in range(len(self.servers)):
            self.restart(place)
        switch = await self.ledger.switch(AUTOMATIC)
        if switch and not switch.on:
            await self.ledger.turn_switch(AUTOMATIC, on=True, actor="lee", reason="it is over")
        await self._until_rest()
        self.wait(REST)
        await self._until_rest()
        if any(state == "unknown" for _, state, _ in await self._places()):
            self.took_a_day += 1
            self.wait(A_DAY)
            await self._until_rest()

    async def _until_rest(self) -> None:
        for _ in range(ROUNDS):
            before = await self._places()
            await self.sweep()
            if before == await self._places():
                return

    async def _places(self) -> list[tuple[str, str, bool]]:
        actions = await self.ledger.actions(limit=100)
        return [(a.id, a.state, await self.ledger.receipt_of(a.id) is not None) for a in actions]

    async def judged(self) -> tuple[World, list[str]]:
        """The world at rest, and which laws it breaks."""
        actions = await self.ledger.actions(limit=100)
        stories = [
            await story_of(
                self.ledger,
                a,
                deeds_of(self.town, a.kind, a.id),
                at_stripe=bool(TRADES[a.kind].event),
                until=self.deadlines[a.id],
            )
            for a in actions
        ]
        seen = [note for server in self.servers for note in server.seen]
        world = await world_of(self.ledger, stories, seen)
        return world, violations(world) + [f"the sweep fails for ever: {error}" for error in self.errors]

    @property
    def database(self) -> str:
        return self.shelf.url.partition(":")[0]

    @property
    def ledger(self) -> Any:
        """Not through a process: it outlives them."""
        return self.servers[0].ledger


@contextmanager
def opened_arena(shelf: Shelf, redis_url: str, sandbox: Sandbox) -> Iterator[Arena]:
    clock = Clock()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> list[Server]:
            address = {"ledger_url": shelf.url, "redis_url": redis_url, "api_key": sandbox.api_key, "url": sandbox.url}
            return [await stack.enter_async_context(Server.open(**address, clock=clock)) for _ in range(2)]

        try:
            servers = runner.run(opened())
            yield Arena(town=Town.build(sandbox), shelf=shelf, runner=runner, clock=clock, servers=servers)
        finally:
            runner.run(stack.aclose())
