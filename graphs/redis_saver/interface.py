"""The synchronous half of the saver's interface: each method waits for its asynchronous twin on the saver's loop."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

Result = TypeVar("Result")


class SyncTwins(BaseCheckpointSaver[str]):
    """For threads beside the event loop in which the saver was made, as a tool that calls `graph.invoke` there.

    On the loop itself they would wait for themselves, so they raise `RuntimeError` there and name the method to await.
    """

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self.loop = _running()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self._wait("aget_tuple", lambda: self.aget_tuple(config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the interface's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        async def found() -> list[CheckpointTuple]:
            return [one async for one in self.alist(config, filter=filter, before=before, limit=limit)]

        yield from self._wait("alist", found)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return self._wait("aput", lambda: self.aput(config, checkpoint, metadata, new_versions))

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self._wait("aput_writes", lambda: self.aput_writes(config, writes, task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        self._wait("adelete_thread", lambda: self.adelete_thread(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        self._wait("adelete_for_runs", lambda: self.adelete_for_runs(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        self._wait("acopy_thread", lambda: self.acopy_thread(source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        self._wait("aprune", lambda: self.aprune(thread_ids, strategy=strategy))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        return self._wait(
            "aget_delta_channel_history",
            lambda: self.aget_delta_channel_history(config=config, channels=channels),
        )

    def _wait(self, name: str, begin: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        if self.loop is None or self.loop is _running():
            raise RuntimeError(
                f"RedisSaver lives on an event loop: await {name}() there, and run graphs with ainvoke() or astream(). "
                "Its synchronous methods are for other threads, and for a saver that was made on a running loop."
            )
        return asyncio.run_coroutine_threadsafe(begin(), self.loop).result()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
