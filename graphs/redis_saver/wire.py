"""Scripts on one connection, written to at once and answered in order: none waits for the round trip of another.

A client in Python spends more time on a command than Redis does, and that is most of what makes a saver slow. redis-py
opens the connection, with all it knows of passwords, TLS and Sentinel, and retries as it is set up to; in between, what
goes over it is ours.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import NoScriptError, ReadOnlyError
from redis.exceptions import TimeoutError as TookTooLong

from graphs.redis_saver.resp import Argument, Replies, packed

Client: TypeAlias = Redis | RedisCluster


class Wire(asyncio.Protocol):
    """An open connection on which questions do not wait for one another's answers.

    `heard` gets what the server says unasked; `broken` is called once, when there is nothing more to hear.
    """

    def __init__(
        self,
        connection: Any,
        *,
        heard: Callable[[list[Any]], None] | None = None,
        broken: Callable[[], None] | None = None,
    ) -> None:
        self.lost: Exception | None = None
        self._broken = broken
        self._patience: float | None = connection.socket_timeout
        self._quiet_since, self._watch = 0.0, False
        self._replies = Replies(heard)
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        # What redis-py does not hand out: the transport of a connection that is through with its greetings.
        self._transport = connection._writer.transport  # noqa: SLF001
        self._former = self._transport.get_protocol()
        self._transport.set_protocol(self)

    def ask(self, command: bytes) -> "asyncio.Future[Any]":
        """What is asked in one turn of the event loop goes out together. The answer may be an exception."""
        if self.lost:
            raise self.lost
        answer = self._loop.create_future()
        if not self._asked:
            self._quiet_since = self._loop.time()
            self._watch_over()
        self._asked.append(answer)
        self.tell(command)
        return answer

    def tell(self, command: bytes) -> None:
        """A command that is not answered, but for what is heard of it later."""
        if self.lost:
            raise self.lost
        self._unsent.append(command)
        if len(self._unsent) == 1:
            self._loop.call_soon(self._send)

    def close(self, why: Exception) -> None:
        """Whoever still waits for an answer gets `why`."""
        self._fail(why)
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            replies = self._replies.feed(data)
        except ValueError as error:
            self.close(NoConnection(str(error)))
            return
        self._quiet_since = self._loop.time()
        if len(replies) > len(self._asked):
            self.close(NoConnection("Redis answered what nobody had asked."))
            return
        for reply in replies:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(NoConnection(f"Redis closed the connection{f': {exc}' if exc else ''}."))
        self._former.connection_lost(exc)

    def _watch_over(self) -> None:
        """One timer for all questions: it looks whether the server has been silent for as long as the client allows."""
        if self._patience and not self._watch:
            self._watch = True
            self._loop.call_at(self._quiet_since + self._patience, self._look)

    def _look(self) -> None:
        self._watch = False
        if not self._asked or not self._patience:
            return
        if self._loop.time() < self._quiet_since + self._patience:
            self._watch_over()
        else:
            self.close(TookTooLong(f"Redis has not answered for {self._patience:g} seconds."))

    def _send(self) -> None:
        together, self._unsent = b"".join(self._unsent), []
        if not self.lost:
            self._transport.write(together)

    def _fail(self, why: Exception) -> None:
        if self.lost is None and self._broken:
            self._loop.call_soon(self._broken)
        self.lost = self.lost or why
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(why)


class Line:
    """A wire on a connection of the client's pool, laid anew when it is lost. `heard` and `broken` as of `Wire`."""

    def __init__(
        self,
        redis: Client,
        *,
        heard: Callable[[list[Any]], None] | None = None,
        broken: Callable[[], None] | None = None,
    ) -> None:
        self._pool: Any = getattr(redis, "connection_pool", None)  # a cluster has one for each node
        self._heard, self._broken = heard, broken
        self._opening = asyncio.Lock()
        self.connection: Any = None
        self.wire: Wire | None = None

    async def open(self) -> Wire:
        """The one that is there, or a new one: of all that need it at the same time, one lays it.

        Raises what redis-py raises when it cannot connect.
        """
        if self.wire and not self.wire.lost:
            return self.wire
        async with self._opening:
            if self.wire is None or self.wire.lost:
                self.wire = Wire(await self._connected(), heard=self._heard, broken=self._broken)
            return self.wire

    async def _connected(self) -> Any:
        if self.connection is None:
            self.connection = await self._pool.get_connection()
        else:
            await self.connection.disconnect(nowait=True)
            await self.connection.connect()
        return self.connection


class Scripts:
    """Runs scripts, each of them atomic, and commands. In a cluster redis-py sends each to the node that has its slot.

    One connection of the client's pool is held for as long as the client is open.
    """

    def __init__(self, redis: Client) -> None:
        self._redis = cast("Any", redis)
        self._cluster = isinstance(redis, RedisCluster)
        self._line = Line(redis)

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """What the script returns. Raises what Redis and the connection raise."""
        if self._cluster:
            return await self._by_client(script, keys, args)
        try:
            return await self.command("EVALSHA", _digest(script), len(keys), *keys, *args)
        except NoScriptError:
            return await self.command("EVAL", script, len(keys), *keys, *args)

    async def command(self, *parts: Argument) -> Any:
        """What Redis answers, in bytes, numbers, lists and None."""
        if self._cluster:
            return await self._redis.execute_command(*parts)
        found = await self._answer(packed(*parts))
        if isinstance(found, Exception):
            raise found
        return found

    async def _answer(self, command: bytes) -> Any:
        try:
            wire = await self._open()
            try:
                return await self._try(wire, command)
            except (NoConnection, TookTooLong) as error:
                return await self._again(command, error)
        except _Unreachable as nobody:
            raise nobody.error from None

    async def _again(self, command: bytes, error: Exception) -> Any:
        """As often, and after as long, as the client is set up to. The try that failed is the first of them."""
        failed: list[Exception] = [error]

        async def once() -> Any:
            if failed:
                raise failed.pop()
            return await self._try(await self._open(), command)

        return await self._line.connection.retry.call_with_retry(once, _nothing)

    async def _try(self, wire: Wire, command: bytes) -> Any:
        found = await wire.ask(command)
        if isinstance(found, NoConnection | ReadOnlyError):
            # It is loading, or was a master before a failover: whoever connects anew finds the one that is.
            lost = NoConnection(str(found))
            wire.close(lost)
            raise lost
        return found

    async def _open(self) -> Wire:
        try:
            return await self._line.open()
        except (NoConnection, TookTooLong) as error:
            raise _Unreachable(error) from error

    async def _by_client(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return await self._redis.evalsha(_digest(script), len(keys), *keys, *args)
        except NoScriptError:
            return await self._redis.eval(script, len(keys), *keys, *args)


def shared(redis: Client) -> Scripts:
    """One for everybody who asks on this client, so that they have one connection among them."""
    found = _SHARED.get(redis)
    if found is None:
        found = _SHARED[redis] = Scripts(redis)
    return found


_SHARED: "WeakKeyDictionary[Client, Scripts]" = WeakKeyDictionary()


class _Unreachable(Exception):
    """What redis-py has retried while it connected is not retried again."""

    def __init__(self, error: Exception) -> None:
        self.error = error


async def _nothing(_: Exception) -> None:
    """What failed has been closed already."""


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
