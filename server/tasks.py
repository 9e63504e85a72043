"""Tasks beside other work, and how they are brought to an end."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

INSIST_SECONDS = 1.0
"""Longer than a task takes to clean up after itself: cancelled once more, it would leave that half done."""


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels until it took. Whatever a task came to by itself stays with it, to be asked for.

    Once is not enough: `asyncio.wait_for` of Python 3.11, and with it every call of redis-py, returns its result and
    drops a cancellation that comes in the same moment.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=INSIST_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # or asyncio complains that nobody looked at it


async def outcome(task: "asyncio.Task[None]") -> None:
    """Ends the task. What it failed with comes up."""
    await end(task)
    if not task.cancelled():
        task.result()


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` beside the block and ends it with the block. What it failed with comes up then."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await outcome(task)
