"""`RedisSaver`: LangGraph checkpoints in plain Redis. See `layout` for the keys, `scripts` for the Lua."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import unquote

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ResponseError

from graphs.redis_saver import scripts
from graphs.redis_saver.interface import SyncTwins
from graphs.redis_saver.layout import Address, Keys, Links, Packer, escape
from graphs.redis_saver.resp import Argument
from graphs.redis_saver.wire import Client, Scripts

FENCE = "__fence"

Reply = tuple[bytes, bytes, bytes, bytes, list[bytes | None], list[bytes]]
"""What the script GET returns: member, checkpoint, metadata, links, blobs, writes."""
Ancestor = tuple[bytes, list[bytes], list[bytes]]
"""One of what the script HISTORY returns: member, values by channel, writes."""


class StaleWriter(RuntimeError):
    """A writer with a higher fencing token has taken the thread over; nothing was written."""


class LostData(RuntimeError):
    """Redis holds only a part of a thread: keys were evicted or deleted behind the saver's back."""


class RedisSaver(SyncTwins):
    """Keeps the checkpoints of threads in Redis 6.2 or Valkey: on one server, in a cluster, or behind Sentinel.

    Each read and each write is one atomic round trip. Errors of Redis are raised as they are, so an outage
    is never taken for an empty thread. `ttl` (seconds) is renewed for the whole thread by every write.

    `keep_last` bounds the history: of each namespace so many checkpoints stay, and up to a quarter more for a while,
    with everything that they are rebuilt from. None keeps all.

    A run whose config has an integer `configurable["__fence"]` writes only while no higher number has
    written to the thread: a lease's fencing token, so a paused worker cannot overwrite its successor.
    """

    def __init__(
        self,
        redis: Client,
        *,
        serde: SerializerProtocol | None = None,
        ttl: int | None = None,
        keep_last: int | None = None,
        prefix: str = "checkpoint",
    ) -> None:
        super().__init__(serde=serde)
        if redis.get_encoder().decode_responses:
            raise ValueError("RedisSaver stores bytes: build the client with decode_responses=False.")
        if keep_last is not None and keep_last < 1:
            raise ValueError("keep_last is how many checkpoints stay: 1 or more, or None to keep all.")
        self.redis = redis
        self._scripts = Scripts(redis)
        self.ttl = ttl
        self.keep_last = keep_last
        self.prefix = prefix

    @classmethod
    @asynccontextmanager
    async def from_url(
        cls,
        url: str,
        *,
        serde: SerializerProtocol | None = None,
        ttl: int | None = None,
        keep_last: int | None = None,
        cluster: bool = False,
    ) -> AsyncIterator["RedisSaver"]:
        """Own the connections for the length of the context. An outage is reported within a second.

        `url` names a server, or any one node with `cluster=True`. Behind Sentinel, pass `Sentinel.master_for(...)` to
        the constructor instead.
        """
        # Repeating is safe: every script writes the same fields again.
        retry = Retry(ExponentialBackoff(cap=0.4, base=0.02), retries=4)
        # redis-py's own limit of 100 raises in a burst of 40 runs; a blocking pool costs a third of the speed
        kind = RedisCluster if cluster else Redis
        async with kind.from_url(url, max_connections=1000, retry=retry) as redis:
            yield cls(redis, serde=serde, ttl=ttl, keep_last=keep_last)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that `config` names, or the latest of its namespace; None when there is none."""
        return await self._fetch(Address.of(config))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the interface's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Newest first. `config=None` looks through all threads with SCAN: a tool for operators."""
        left = limit
        for address in await self._addresses(config, before):
            if left is not None and left <= 0:
                return
            found = await self._fetch(address)
            if found and all(found.metadata.get(key) == value for key, value in (filter or {}).items()):
                left = None if left is None else left - 1
                yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and the channel values whose version is new; older ones are shared."""
        parent = Address.of(config)
        address = Address(parent.thread, parent.namespace, checkpoint["id"])
        values, packer = checkpoint["channel_values"], Packer(self.serde)
        metadata = get_serializable_checkpoint_metadata(config, metadata)
        versions = checkpoint["channel_versions"]
        blobs = [address.blob(name, version) for name, version in versions.items() if name in values]
        counted = metadata.get("counters_since_delta_snapshot") or {}
        deltas = [escape(name) for name in counted if name in versions and name not in values]
        links = Links(escape(parent.id), metadata.get("run_id"), blobs, deltas)
        fresh: list[str | bytes] = []
        for name, version in new_versions.items():
            if name in values:
                fresh += [address.blob(name, version), packer.pack(values[name])]
        record: list[str | bytes] = [
            packer.pack({**checkpoint, "channel_values": {}}),
            packer.pack(metadata),
            links.dump(),
        ]
        count = await self._write(scripts.PUT, config, [address.member, *record, *fresh])
        if self.keep_last and count > self.keep_last + max(self.keep_last // 4, 1):
            await self._run(scripts.TRIM, address.thread, [self.keep_last])
        return address.config()

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote. Special writes replace; of ordinary ones the first stays."""
        packer = Packer(self.serde)
        address = Address.of(config)
        args: list[str | bytes] = []
        for position, (channel, value) in enumerate(writes):
            idx = WRITES_IDX_MAP.get(channel, position)
            command = "HSET" if idx < 0 else "HSETNX"
            args += [command, address.write(task_id, idx), packer.pack(value, task_path, channel)]
        await self._write(scripts.PUT_WRITES, config, args)

    async def adelete_thread(self, thread_id: str) -> None:
        await self.redis.unlink(*self._keys(thread_id).all())

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete what these runs wrote, in every thread. Looks through all threads with SCAN."""
        async for thread in self._threads():
            await self._run(scripts.DROP_RUNS, thread, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Make the target hold exactly what the source holds; nothing happens when there is no source."""
        dumps: list[bytes | None] = await self._run(scripts.DUMP, source_thread_id, [])
        if any(dumps):
            milliseconds = (self.ttl or 0) * 1000
            await self._run(scripts.RESTORE, target_thread_id, [milliseconds, *(dump or b"" for dump in dumps)])

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete all checkpoints, or all but the latest of each namespace and what it is rebuilt from."""
        if strategy not in {"keep_latest", "delete"}:
            raise ValueError(f"Unknown prune strategy {strategy!r}: use 'keep_latest' or 'delete'.")
        for thread_id in map(str, thread_ids):
            if strategy == "delete":
                await self.adelete_thread(thread_id)
            else:
                await self._run(scripts.TRIM, thread_id, [1])

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """For each channel, what its ancestors wrote since the nearest that has its value, in one round trip."""
        if not channels:
            return {}
        address, packer = Address.of(config), Packer(self.serde)
        names = [name for channel in channels for name in (escape(channel), channel)]
        found: list[Ancestor] = await self._run(scripts.HISTORY, address.thread, [address.member, *names])
        written: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
        seeds: dict[str, Any] = {}
        for member, values, writes in reversed(found):
            ancestor = Address.of_member(address.thread, member.decode())
            for channel, value in zip(values[::2], values[1::2], strict=True):
                if not value:
                    raise LostData(
                        f"Thread {address.thread}: the value of channel {channel.decode()} is gone from Redis."
                    )
                seeds[channel.decode()] = packer.value(value)
            for write in packer.writes(ancestor, writes):
                written[write[1]].append(write)
        return {channel: _history(written[channel], seeds, channel) for channel in channels}

    def get_next_version(self, current: str | float | None, channel: None) -> str:  # noqa: ARG002 - interface
        """A counter plus randomness: two forks of one checkpoint never share a channel version."""
        number = 1 if current is None else int(str(current).partition(".")[0]) + 1
        return f"{number:012}.{secrets.token_hex(6)}"

    def _keys(self, thread: str) -> Keys:
        return Keys(self.prefix, thread)

    async def _run(self, script: str, thread: str, args: Sequence[Argument]) -> Any:
        keys = self._keys(thread).all()
        try:
            return await self._scripts.run(script, keys, args)
        except ResponseError as error:
            if str(error).startswith("STALEWRITER"):
                raise StaleWriter(f"A writer with a higher token has taken thread {thread} over.") from error
            if str(error).startswith("LOSTDATA"):
                raise LostData(f"The index of thread {thread} is gone, its checkpoints are not.") from error
            raise

    async def _write(self, script: str, config: RunnableConfig, args: Sequence[Argument]) -> Any:
        token = config["configurable"].get(FENCE, "")
        return await self._run(script, Address.of(config).thread, [token, self.ttl or 0, *args])

    async def _fetch(self, address: Address) -> CheckpointTuple | None:
        reply: Reply | None = await self._run(scripts.GET, address.thread, [address.member])
        return self._load(address.thread, reply) if reply else None

    def _load(self, thread: str, reply: Reply) -> CheckpointTuple:
        member, checkpoint, metadata, links, blobs, writes = reply
        address, linked = Address.of_member(thread, member.decode()), Links.load(links)
        packer, values = Packer(self.serde), {}
        for channel, blob in zip(linked.channels, blobs, strict=True):
            if blob is None:
                raise LostData(f"Thread {thread}: the value of channel {channel} is gone from Redis.")
            values[channel] = packer.value(blob)
        parent = Address(thread, address.namespace, unquote(linked.parent))
        stored: Checkpoint = packer.value(checkpoint)
        return CheckpointTuple(
            config=address.config(),
            checkpoint={**stored, "channel_values": values},
            metadata=packer.value(metadata),
            parent_config=parent.config() if linked.parent else None,
            pending_writes=list(packer.writes(address, writes)),
        )

    async def _addresses(self, config: RunnableConfig | None, before: RunnableConfig | None) -> list[Address]:
        """What `alist` shall read, newest first."""
        threads = [Address.of(config).thread] if config else [thread async for thread in self._threads()]
        wanted = config["configurable"] if config else {}
        namespace, named = wanted.get("checkpoint_ns"), wanted.get("checkpoint_id")
        border = Address.of(before).id if before else None
        found = [address for thread in threads for address in await self._index(thread)]
        found.sort(key=lambda address: address.id, reverse=True)
        return [
            address
            for address in found
            if (namespace is None or address.namespace == namespace)
            and (not named or address.id == named)
            and (not border or address.id < border)
        ]

    async def _index(self, thread: str) -> list[Address]:
        members = cast("list[bytes]", await self.redis.zrange(self._keys(thread)["index"], 0, -1))
        return [Address.of_member(thread, member.decode()) for member in members]

    async def _threads(self) -> AsyncIterator[str]:
        keys = {key async for key in self.redis.scan_iter(match=f"{self.prefix}:{{*}}:index", count=1000)}
        for key in keys:
            yield Keys.of_index(self.prefix, key.decode()).thread


def _history(writes: list[PendingWrite], seeds: Mapping[str, Any], channel: str) -> DeltaChannelHistory:
    found: DeltaChannelHistory = {"writes": writes}
    if channel in seeds:
        found["seed"] = seeds[channel]
    return found
