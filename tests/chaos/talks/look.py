"""How everything stands when all is over, read from where it is kept."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from langchain_core.messages import AnyMessage
from redis.asyncio import Redis

from graphs.checkpointer import saver_options
from graphs.keys import keyring
from graphs.redis_saver import RedisSaver
from server.events import START, Event, EventLog
from server.runs.work import config_of
from tests.chaos.talks.customers import Customer
from tests.chaos.talks.graph import builder
from tests.chaos.talks.laws import Facts, Line
from tests.chaos.talks.process import settings_of
from tests.chaos.talks.town import Town
from tools.ledger.ledger import Ledger

REST_SECONDS = 60.0
ROLES = {"human": "customer", "ai": "assistant"}
LOOKS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Eye:
    ledger: Ledger
    events: EventLog
    graph: Any
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKS_AT_ONCE))

    @classmethod
    @asynccontextmanager
    async def open(cls, town: Town) -> AsyncIterator[Self]:
        settings = settings_of(str(town.home), town.redis.url, town.database_url)
        keys = keyring(settings)
        async with (
            Ledger.open(settings.ledger_url, keys=keys) as ledger,
            EventLog.open(town.redis.url, keys=keys) as events,
            Redis.from_url(town.redis.url) as client,
        ):
            graph = builder.compile(checkpointer=RedisSaver(client, **saver_options(settings)))
            yield cls(ledger=ledger, events=events, graph=graph)

    async def until_rest(self) -> None:
        """Until nobody has anything to do. What never comes to rest is looked at as it is."""
        until = time.monotonic() + REST_SECONDS
        while await self.ledger.unfinished_runs() and time.monotonic() < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.2)

    async def facts(self, customer: Customer, wanted: list[str]) -> Facts:
        async with self.turn:
            return await self._facts(customer, wanted)

    async def _facts(self, customer: Customer, wanted: list[str]) -> Facts:
        thread = await self.ledger.thread(customer.thread)
        values = (await self.graph.aget_state(config_of(customer.thread))).values
        return Facts(
            wanted=wanted,
            modes=frozenset(customer.modes),
            turns=customer.turns,
            replays=[await customer.replays(turn) for turn in customer.turns],
            log=await self.log(customer.thread),
            lines=[Line(one.id, one.role, one.text) for one in await self.ledger.messages(customer.thread)],
            said=[_line(message) for message in values.get("messages", [])],
            heard=values.get("heard", []),
            answered=values.get("answered", 0),
            runs={run.id: run.status for run in await self.ledger.runs(customer.thread, limit=100)},
            status=thread.status if thread else "gone",
        )

    async def log(self, thread: str) -> list[Event]:
        found: list[Event] = []
        while more := await self.events.read(thread, found[-1].id if found else START):
            found += more
        return found


def _line(message: AnyMessage) -> Line:
    return Line(message.id or "", ROLES[message.type], message.text)
