"""Word of new entries: one connection on which Redis says at once of which thread there are some.

A reader that blocks in Redis holds a connection, and asks anew every half second. Thousands of them wait here without a
word to Redis; what they then read, they read from the log, which alone is the truth. Word that is lost costs them time,
and nothing else.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from redis.exceptions import ConnectionError as NoConnection

from graphs.redis_saver.resp import packed
from graphs.redis_saver.wire import Line, Wire
from server.events.event import order

LOOK_ANYWAY_SECONDS = 10.0
SECONDS_KEPT = 60.0
"""A thread that nobody follows any more is listened to for this long: most come back."""


@dataclass
class Thread:
    """What is known of one thread's log."""

    heard: "asyncio.Future[None]"
    """Done once Redis says that it will tell."""
    newest: str | None = None
    """Id of the newest entry there may be; None when that has to be looked up."""
    told: int = 0
    """How often there was word."""
    used: float = 0.0
    looked: float = 0.0
    waiting: "set[asyncio.Future[None]]" = field(default_factory=set)

    def may_have(self, after: str) -> bool:
        is_old = asyncio.get_running_loop().time() - self.looked > LOOK_ANYWAY_SECONDS
        return self.newest is None or is_old or order(self.newest) > order(after)

    def saw_nothing(self, after: str) -> None:
        """There was no entry after this one when it was looked for."""
        self.looked = asyncio.get_running_loop().time()
        self.newest = self.newest or after

    def tell(self, newest: str | None) -> None:
        self.newest = newest
        self.told += 1
        for one in self.waiting:
            if not one.done():
                one.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until there is word, or for so long."""
        word: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.add(word)
        try:
            await asyncio.wait((word,), timeout=seconds)
        finally:
            self.waiting.discard(word)


class News:
    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._line = Line(client, heard=self._hear, broken=self._forget)
        self._threads: dict[bytes, Thread] = {}
        self._sweep_at = 0.0

    async def of(self, channel: str) -> Thread:
        """Raises `redis.exceptions.RedisError` when Redis does not listen."""
        wire = await self._line.open()
        now = asyncio.get_running_loop().time()
        if now >= self._sweep_at:
            self._sweep(wire, now)
        name = channel.encode()
        thread = self._threads.get(name)
        if thread is None:
            thread = self._threads[name] = Thread(heard=asyncio.get_running_loop().create_future())
            wire.tell(packed("SUBSCRIBE", name))
        thread.used = now
        if not thread.heard.done():
            await asyncio.shield(thread.heard)
        return thread

    async def aclose(self) -> None:
        if self._line.wire and not self._line.wire.lost:
            self._line.wire.close(NoConnection("The log is closed."))

    def _hear(self, said: list[Any]) -> None:
        kind, channel, what = said[:3]
        thread = self._threads.get(channel)
        if thread is None:
            return
        if kind == b"message":
            thread.tell(what.decode())
        elif kind == b"subscribe" and not thread.heard.done():
            thread.heard.set_result(None)

    def _forget(self) -> None:
        """The connection is gone: whoever waits looks for themselves, and asks to be told anew."""
        known, self._threads = self._threads, {}
        for thread in known.values():
            thread.tell(None)
            if not thread.heard.done():
                thread.heard.set_result(None)

    def _sweep(self, wire: Wire, now: float) -> None:
        self._sweep_at = now + SECONDS_KEPT / 2
        for name, thread in list(self._threads.items()):
            if not thread.waiting and now - thread.used > SECONDS_KEPT:
                del self._threads[name]
                wire.tell(packed("UNSUBSCRIBE", name))
        # An answer has to come within the client's patience, or the connection is given up.
        wire.ask(packed("PING")).add_done_callback(_heed)


def _heed(answer: "asyncio.Future[Any]") -> None:
    with suppress(asyncio.CancelledError):
        answer.exception()
