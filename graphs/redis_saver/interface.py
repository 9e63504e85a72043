"""The synchronous half of the saver's interface, which refuses: blocking calls would stall the event loop."""

from collections.abc import Callable
from typing import NoReturn

from langgraph.checkpoint.base import BaseCheckpointSaver


def _refuses(name: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise NotImplementedError(
            f"RedisSaver is asynchronous: await a{name}() instead of calling {name}(), "
            "and run graphs with ainvoke() or astream()."
        )

    return refuse


class AsyncOnlySaver(BaseCheckpointSaver[str]):
    get_tuple = _refuses("get_tuple")
    list = _refuses("list")
    put = _refuses("put")
    put_writes = _refuses("put_writes")
    delete_thread = _refuses("delete_thread")
    delete_for_runs = _refuses("delete_for_runs")
    copy_thread = _refuses("copy_thread")
    prune = _refuses("prune")
    get_delta_channel_history = _refuses("get_delta_channel_history")
