"""Scripts that are wanted at the same time go to the server together."""

import asyncio
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias, cast

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError

Client: TypeAlias = Redis | RedisCluster
Argument = str | bytes | int
Call = tuple[str, Sequence[str], Sequence[Argument]]
"""Script, keys, arguments."""

MOST = 64


class Batches:
    """Runs scripts; those that are asked for while a round trip is under way share the next one.

    A client in Python spends more time on a round trip than Redis does, so one for many is most of what makes a saver
    fast. Each script is atomic; a batch is not, and a script that fails fails alone. In a cluster each goes by itself,
    to the node that has its slot.
    """

    def __init__(self, redis: Client) -> None:
        self._redis = cast("Any", redis)
        self._alone = isinstance(redis, RedisCluster)
        self._waiting: list[tuple[Call, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """What the script returns. Raises what Redis and the connection raise."""
        call = script, keys, args
        if self._alone:
            return await self._one(call)
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            wanted = [(call, answer) for call, answer in batch if not answer.done()]
            for (_, answer), found in zip(wanted, await self._answers([call for call, _ in wanted]), strict=True):
                if answer.done():
                    continue
                if isinstance(found, BaseException):
                    answer.set_exception(found)
                else:
                    answer.set_result(found)

    async def _answers(self, calls: Sequence[Call]) -> Sequence[Any]:
        """Of each, in order, what it returned or raised."""
        try:
            if len(calls) == 1:
                return [await self._one(calls[0])]
            found = await self._together(calls)
            if unknown := [place for place, one in enumerate(found) if isinstance(one, NoScriptError)]:
                for script in {calls[place][0] for place in unknown}:
                    await self._redis.script_load(script)
                again = await self._together([calls[place] for place in unknown])
                for place, one in zip(unknown, again, strict=True):
                    found[place] = one
        except Exception as error:  # noqa: BLE001 - each caller is told what became of what it asked
            return [error] * len(calls)
        return found

    async def _together(self, calls: Sequence[Call]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for script, keys, args in calls:
            pipe.evalsha(_digest(script), len(keys), *keys, *args)
        return list(await pipe.execute(raise_on_error=False))

    async def _one(self, call: Call) -> Any:
        script, keys, args = call
        try:
            return await self._redis.evalsha(_digest(script), len(keys), *keys, *args)
        except NoScriptError:
            return await self._redis.eval(script, len(keys), *keys, *args)


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
