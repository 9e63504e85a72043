"""Processes that can die between any two calls, on connections of their own, and a witness of what they send."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from langgraph.checkpoint.base import CheckpointTuple
from redis.asyncio import Redis

from graphs import action
from graphs.cases import GraphCases
from graphs.redis_saver import RedisSaver
from nodes.context import CaseContext
from tests.fixtures.keys import KEYS
from tools.billing.breaker import Breaker
from tools.billing.retry import Retry
from tools.billing.stripe_billing import StripeBilling, _client
from tools.billing.transport import HttpxTransport
from tools.ledger.database import Database
from tools.ledger.ledger import Ledger
from tools.policy.engine import PolicyEngine

LAYERS = ("ledger", "billing", "mover", "saver")
PATIENCE = 0.25
QUICK_RETRY = Retry(attempts=2, first_delay=0.001, longest_delay=0.001)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Life:
    """Of one process: the call at which it ends, if any. Whatever it still has under way ends with it."""

    layer: str = ""
    calls_left: int = 0
    after: bool = False
    dead: bool = False

    def ends_at(self, layer: str, call: int, *, after: bool) -> None:
        self.layer, self.calls_left, self.after = layer, call, after

    async def call(self, layer: str, work: Any, *args: Any, **kwargs: Any) -> Any:
        self._breathe()
        last = layer == self.layer and self._counts_down()
        if last and not self.after:
            self._die()
        result = await work(*args, **kwargs)
        if last:
            self._die()
        self._breathe()
        return result

    def _counts_down(self) -> bool:
        self.calls_left -= 1
        return self.calls_left == 0

    def _die(self) -> None:
        self.dead = True
        raise Killed

    def _breathe(self) -> None:
        if self.dead:
            raise Killed


class Mortal:
    """Passes every call on to `inner`, for as long as the process lives."""

    def __init__(self, inner: Any, life: Life, layer: str) -> None:
        self._inner, self._life, self._layer = inner, life, layer

    @asynccontextmanager
    async def recording(self, **ids: str | None) -> AsyncIterator[None]:
        """Notes what was asked; the only thing that is not a call, and the only one that a dead process still ends."""
        async with self._inner.recording(**ids):
            yield

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)

        async def called(*args: Any, **kwargs: Any) -> Any:
            return await self._life.call(self._layer, real, *args, **kwargs)

        return called


class Hooked:
    """Passes everything on to `inner`; the first call of `name` meets `hook` right before or after it."""

    def __init__(self, inner: Any, name: str, hook: Callable[[], Awaitable[Any]], *, after: bool = False) -> None:
        self._inner, self._name, self._hook, self._after = inner, name, hook, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name != self._name:
            return real

        async def called(*args: Any, **kwargs: Any) -> Any:
            self._name = ""
            if not self._after:
                await self._hook()
            result = await real(*args, **kwargs)
            if self._after:
                await self._hook()
            return result

        return called


class MortalSaver(RedisSaver):
    life: Life = Life()

    async def aget_tuple(self, *args: Any, **kwargs: Any) -> CheckpointTuple | None:
        found: CheckpointTuple | None = await self.life.call("saver", super().aget_tuple, *args, **kwargs)
        return found

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        return await self.life.call("saver", super().aput, *args, **kwargs)

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        await self.life.call("saver", super().aput_writes, *args, **kwargs)


class Wire(HttpxTransport):
    """To Stripe: what left, and a word to whoever listens before it does."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__(seconds=seconds)
        self.left: list[str] = []
        self.listener: Callable[[int, str, str], None] | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        path = urlsplit(url).path
        self.left.append(f"{method.upper()} {path}")
        if self.listener:
            self.listener(len(self.left), method.upper(), path)
        return await super().request_async(method, url, headers, post_data)


@dataclass
class Witness:
    """Stands before Stripe, and notes each write that the ledger knows nothing of at the moment it leaves."""

    mover: Any
    ledger: Ledger
    seen: list[str]
    changed: set[str]

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.mover, name)

        async def called(**asked: Any) -> Any:
            self.seen += await self._against(name, asked["action_id"], asked["idempotency_key"])
            self.seen += [f"{name} of {it}, which is not as it was" for it in self.changed & _ids_in(asked)]
            return await real(**asked)

        return called

    async def _against(self, name: str, action_id: str, key: str) -> list[str]:
        known = await self.ledger.action(action_id)
        intents = [effect.idempotency_key for effect in await self.ledger.effects(action_id)]
        found = [] if [key] == intents else [f"{name} under {key}, and the intents are {intents}"]
        # One that was overtaken repeats itself under the same key; before its time there is no excuse.
        early = known is None or known.state in {"proposed", "confirmed", "awaiting_approval", "approved"}
        return found + ([f"{name} while {known and known.state}"] if early else [])


def _ids_in(asked: dict[str, Any]) -> set[str]:
    return {value for value in asked.values() if isinstance(value, str)}


@dataclass(frozen=True, kw_only=True)
class Server:
    """Connections of its own, for processes that come and go."""

    ledger: Ledger
    billing: StripeBilling
    wire: Wire
    saver: MortalSaver
    graph: Any
    policy: PolicyEngine
    clock: Clock
    seen: list[str] = field(default_factory=list)
    """What the witness noted."""
    changed: set[str] = field(default_factory=set)
    """Things at Stripe that somebody changed since all proposals were made: no write may rest on them any more."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, ledger_url: str, redis_url: str, api_key: str, url: str, clock: Clock
    ) -> AsyncIterator["Server"]:
        async with Database.open(ledger_url, KEYS) as database, _wire() as wire, Redis.from_url(redis_url) as redis:
            stripe, saver = _client(api_key, url, wire), MortalSaver(redis)
            yield cls(
                ledger=Ledger(database, clock),
                billing=StripeBilling(stripe, retry=QUICK_RETRY, breaker=Breaker(silences=1_000_000)),
                wire=wire,
                saver=saver,
                graph=action.builder.compile(checkpointer=saver),
                policy=PolicyEngine.load(clock=clock),
                clock=clock,
            )

    def process(self) -> "Process":
        return Process(self)

    def witness(self) -> Witness:
        return Witness(self.billing.mover(), self.ledger, self.seen, self.changed)


@asynccontextmanager
async def _wire() -> AsyncIterator[Wire]:
    wire = Wire(seconds=PATIENCE)
    try:
        yield wire
    finally:
        await wire.close_async()


class Process:
    """One life of a server. `hooks` of a race replace parts of the context."""

    def __init__(self, server: Server, **parts: Any) -> None:
        self.server, self.life = server, Life()
        server.saver.life = self.life
        given = {"ledger": server.ledger, "billing": server.billing, "mover": server.witness(), **parts}
        mortal: Any = {layer: Mortal(inner, self.life, layer) for layer, inner in given.items()}
        context = CaseContext(policy=server.policy, now=server.clock, **mortal)
        self.cases = GraphCases(graph=server.graph, context=context)
