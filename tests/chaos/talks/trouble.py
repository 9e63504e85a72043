"""What happens to a town meanwhile."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from server.tasks import end
from tests.chaos.talks.town import Town, tell

SLEEP_SECONDS = 10.0
"""Longer than a lease, so that who wakes up has lost what it had."""
AWAKE_SECONDS = 2.0
"""For what it would still write."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Seconds between two of a kind, about; and when Redis goes: after this share of the conversations."""

    kill_every: float
    stop_every: float
    sleep_every: float
    kill_server_every: float
    redis_ends: tuple[tuple[float, signal.Signals], ...]
    redis_pauses: tuple[tuple[float, float], ...]
    """Share, and seconds."""


LONG = Plan(
    kill_every=3,
    stop_every=20,
    sleep_every=30,
    kill_server_every=25,
    redis_ends=((0.3, signal.SIGTERM), (0.8, signal.SIGKILL)),
    redis_pauses=((0.55, 4),),
)
SHORT = Plan(
    kill_every=2.5,
    stop_every=8,
    sleep_every=6,
    kill_server_every=10,
    redis_ends=((0.4, signal.SIGKILL),),
    redis_pauses=((0.75, 1.5),),
)


@dataclass(frozen=True)
class Kill:
    process: int
    at: float
    """Unix time."""


@dataclass(kw_only=True)
class Trouble:
    town: Town
    chance: random.Random
    progress: Callable[[], float]
    """The share of the conversations that are over."""
    plan: Plan
    kills: list[Kill] = field(default_factory=list)
    stops: int = 0
    sleeps: int = 0
    server_kills: int = 0
    restarts: int = 0
    pauses: int = 0
    away: list[tuple[float, float]] = field(default_factory=list)
    """When Redis was, in Unix time."""
    _asleep: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def meanwhile(self) -> AsyncIterator[None]:
        """As long as the block goes on, and until Redis has gone as often as it should. Then everybody is awake."""
        redis = asyncio.create_task(self._redis_goes())
        others = [asyncio.create_task(work) for work in self._others()]
        try:
            yield
            await redis
        finally:
            await end(redis, *others)
            for worker in self._asleep:
                tell(worker, signal.SIGCONT)
            await asyncio.sleep(AWAKE_SECONDS)
            await self.town.ready()

    def _others(self) -> list[Coroutine[Any, Any, None]]:
        return [
            self._ever(self.plan.kill_every, self._kill),
            self._ever(self.plan.stop_every, self._stop),
            self._ever(self.plan.sleep_every, self._sleep),
            self._ever(self.plan.kill_server_every, self._kill_server),
        ]

    async def _ever(self, mean: float, deed: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * mean)
            await deed()

    async def _kill(self) -> None:
        worker = self._one()
        tell(worker, signal.SIGKILL)
        self.kills.append(Kill(worker, time.time()))
        await self._replace(worker)

    async def _stop(self) -> None:
        worker = self._one()
        tell(worker, signal.SIGTERM)
        self.stops += 1
        await self._replace(worker)

    async def _sleep(self) -> None:
        """Nobody knows that it only sleeps: another is hired, and it finds others at its work when it wakes up."""
        worker = self._one()
        tell(worker, signal.SIGSTOP)
        self._asleep.append(worker)
        self.sleeps += 1
        await self._replace(worker)
        await asyncio.sleep(SLEEP_SECONDS)
        tell(worker, signal.SIGCONT)
        await asyncio.sleep(AWAKE_SECONDS)
        tell(worker, signal.SIGTERM)

    async def _kill_server(self) -> None:
        port, process = self.chance.choice(list(self.town.servers.items()))
        tell(process, signal.SIGKILL)
        self.server_kills += 1
        try:
            await asyncio.sleep(self.chance.uniform(0, 1))
        finally:  # also when all is over meanwhile
            self.town.open_server(port)

    def _one(self) -> int:
        return self.chance.choice(sorted(self.town.workers))

    async def _replace(self, worker: int) -> None:
        self.town.workers.discard(worker)
        try:
            await asyncio.sleep(self.chance.uniform(0, 1))
        finally:  # also when all is over meanwhile
            self.town.hire()

    async def _redis_goes(self) -> None:
        ends = [(share, partial(self._restart, by)) for share, by in self.plan.redis_ends]
        pauses = [(share, partial(self._pause, seconds)) for share, seconds in self.plan.redis_pauses]
        for share, deed in sorted([*ends, *pauses], key=lambda one: one[0]):
            while self.progress() < share:  # noqa: ASYNC110 - it is counted elsewhere
                await asyncio.sleep(0.05)
            begun = time.time()
            await deed()
            self.away.append((begun, time.time()))

    async def _restart(self, by: signal.Signals) -> None:
        await self.town.redis.restart(by, away=self.chance.uniform(0.2, 1.5))
        self.restarts += 1

    async def _pause(self, seconds: float) -> None:
        await self.town.redis.pause(seconds)
        self.pauses += 1
