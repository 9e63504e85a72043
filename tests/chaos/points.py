"""The points at which a process can die: before and after each call that leaves it, found by watching the lowest layer.

A point has a name that is the same in every run: the functions of ours that were under way, what they asked of whom,
and how many times they had asked that before. So a process can be told to die at a point that another process found.
"""

import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import docket
import greenlet  # type: ignore[import-untyped]  # it has none
import httpx
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from sqlalchemy.engine.default import DefaultDialect

from graphs.redis_saver.wire import Scripts

KILLED = 137
ROOT = Path(__file__).resolve().parent.parent.parent
OURS = (*(str(ROOT / room) for room in ("server", "graphs", "nodes", "tools")), str(Path(docket.__file__).parent))
"""The worker that hands out our runs is a library, and counts as ours: we die in its hands too."""
DEPTH = 4
SETTLING_SECONDS = 0.03
_IDENTIFIER = re.compile(r"/[a-z]+_\w+")
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)", re.IGNORECASE)


class Point(NamedTuple):
    room: str
    """The package of ours that asked."""
    call: str
    """The functions that were under way, and what they asked."""
    time: int
    """How often that had been asked before, and this once."""
    side: str
    """`before` the call goes out, or `after` the other side has done it and before we know."""
    writes: bool
    """Whether what is kept outside of the process may be another one from here on."""

    def __str__(self) -> str:
        return f"{self.side} {self.call} #{self.time} ({self.room})"


Dirty = Callable[[], int]


@dataclass
class Watch:
    """Names the points that a process passes, and ends it at `deadly`.

    Only tasks that were born after `arm` count: what the process does of its own accord, every so often, has its
    moments by chance.
    """

    deadly: str = ""
    dirty: Dirty = lambda: 0
    """How often Redis was written to by now: scripts do not say whether they write."""
    passed: list[Point] = field(default_factory=list)
    _times: Counter[str] = field(default_factory=Counter)
    _older: set["asyncio.Task[Any]"] = field(default_factory=set)
    _armed: bool = False

    async def arm(self, *, begun: Collection[str] = ()) -> None:
        """Once the process has found its feet: the tasks of these names run, and no more begin.

        A loop of a worker that began later would count as something that has to come to an end, and never does.
        """
        while self._older != (now := asyncio.all_tasks()) or not {task.get_name() for task in now}.issuperset(begun):
            self._older = now
            await asyncio.sleep(SETTLING_SECONDS)
        self._armed = True

    async def quiet(self) -> None:
        """Until everything that was begun since `arm` is over."""
        while begun := [task for task in asyncio.all_tasks() - self._older if not _waits_only(task)]:
            await asyncio.wait(begun)

    def before(self, call: str) -> Point | None:
        """None where nothing of ours is under way, or something that was so before."""
        if not self._armed or asyncio.current_task() in self._older or not (frames := list(_ours())):
            return None
        room = str(Path(frames[0].f_code.co_filename).parent).removeprefix(f"{ROOT}/")
        names = list(dict.fromkeys(frame.f_code.co_name for frame in frames))
        called = f"{'/'.join(names[DEPTH - 1 :: -1])}: {call}"
        self._times[called] += 1
        return self._pass(Point(room, called, self._times[called], "before", writes=False))

    def after(self, point: Point, *, writes: bool) -> None:
        self._pass(point._replace(side="after", writes=writes))

    def _pass(self, point: Point) -> Point:
        self.passed.append(point)
        if str(point) == self.deadly:
            os._exit(KILLED)
        return point


def _waits_only(task: "asyncio.Task[Any]") -> bool:
    """`Event.wait` and its like: on Python 3.11 a wait with a timeout is a task."""
    coroutine: Any = task.get_coro()
    return str(coroutine.cr_code.co_filename).startswith(str(Path(asyncio.__file__).parent))


def _ours() -> Iterator[FrameType]:
    """What is under way of ours, innermost first."""
    return (frame for frame in _frames() if frame.f_code.co_filename.startswith(OURS))


def _frames() -> Iterator[FrameType]:
    """SQLAlchemy's calls run on a stack of their own, beside the one that waits for them."""
    frame: FrameType | None = sys._getframe(1)
    stack: Any = greenlet.getcurrent()
    while frame or stack.parent:
        if frame is None:
            stack = stack.parent
            frame = stack.gr_frame
        else:
            yield frame
            frame = frame.f_back


def watch(points: Watch) -> None:
    """From now on, for the rest of this process."""
    _watch_sql(points)
    _watch_redis(points)
    _watch_http(points)


def _watch_sql(points: Watch) -> None:
    def around(method: str, call_of: Callable[..., str], *, writes: bool) -> None:
        real = getattr(DefaultDialect, method)

        def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            point = points.before(call_of(*args))
            result = real(self, *args, **kwargs)
            if point:
                points.after(point, writes=writes)
            return result

        setattr(DefaultDialect, method, watched)

    # A statement that is not committed dies with its process: only the commit writes.
    around("do_execute", lambda _cursor, statement, *_: _of_sql(statement), writes=False)
    around("do_commit", lambda _connection: "COMMIT", writes=True)
    around("do_rollback", lambda _connection: "ROLLBACK", writes=False)


def _watch_redis(points: Watch) -> None:
    def around(owner: type, method: str, call_of: Callable[..., str]) -> None:
        real: Callable[..., Awaitable[Any]] = getattr(owner, method)

        async def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            if (point := points.before(call_of(self, *args))) is None:
                return await real(self, *args, **kwargs)
            written = points.dirty()
            result = await real(self, *args, **kwargs)
            points.after(point, writes=points.dirty() != written)
            return result

        setattr(owner, method, watched)

    around(Redis, "execute_command", lambda _self, command, *_: str(command))
    around(Scripts, "run", lambda *_: "EVALSHA")  # the saver's, on a wire of its own
    around(Pipeline, "execute", lambda self, *_: "+".join(str(args[0]) for args, _options in self.command_stack))


def _watch_http(points: Watch) -> None:
    real = httpx.AsyncHTTPTransport.handle_async_request

    async def watched(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        point = points.before(f"{request.method} {_IDENTIFIER.sub('/…', request.url.path)}")
        answer = await real(self, request)
        if point:
            points.after(point, writes=request.method != "GET")
        return answer

    httpx.AsyncHTTPTransport.handle_async_request = watched  # type: ignore[method-assign]


def _of_sql(statement: str) -> str:
    table = _TABLE.search(statement)
    return " ".join([statement.split(maxsplit=1)[0].upper(), *(table.groups() if table else ())])
