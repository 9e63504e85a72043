"""`RedisSaver`: LangGraph checkpoints in plain Redis. See `layout` for the keys, `scripts` for the Lua."""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ResponseError

from graphs.redis_saver import scripts
from graphs.redis_saver.interface import AsyncOnlySaver
from graphs.redis_saver.layout import Address, Keys, Links, Packer, lineage

FENCE = "__fence"

Reply = tuple[bytes, bytes, bytes, bytes, list[bytes | None], list[bytes]]
"""What the script GET returns: member, checkpoint, metadata, links, blobs, writes."""


class StaleWriter(RuntimeError):
    """A writer with a higher fencing token has taken the thread over; nothing was written."""


class LostData(RuntimeError):
    """Redis holds only a part of a thread: keys were evicted or deleted behind the saver's back."""


class RedisSaver(AsyncOnlySaver):
    """Keeps every checkpoint of a thread; needs nothing but Redis 6.2 or Valkey.

    Each read and each write is one atomic round trip. Errors of Redis are raised as they are, so an outage
    is never taken for an empty thread. `ttl` (seconds) is renewed for the whole thread by every write.

    A run whose config has an integer `configurable["__fence"]` writes only while no higher number has
    written to the thread: a lease's fencing token, so a paused worker cannot overwrite its successor.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        serde: SerializerProtocol | None = None,
        ttl: int | None = None,
        prefix: str = "checkpoint",
    ) -> None:
        super().__init__(serde=serde)
        if redis.connection_pool.connection_kwargs.get("decode_responses"):
            raise ValueError("RedisSaver stores bytes: build the client with decode_responses=False.")
        self.redis = redis
        self.ttl = ttl
        self.prefix = prefix
        self._get = redis.register_script(scripts.GET)
        self._put = redis.register_script(scripts.PUT)
        self._put_writes = redis.register_script(scripts.PUT_WRITES)
        self._drop = redis.register_script(scripts.DROP)

    @classmethod
    @asynccontextmanager
    async def from_url(
        cls, url: str, *, serde: SerializerProtocol | None = None, ttl: int | None = None
    ) -> AsyncIterator["RedisSaver"]:
        """Own the connections for the length of the context. An outage is reported within a second."""
        # Repeating is safe: every script writes the same fields again.
        retry = Retry(ExponentialBackoff(cap=0.4, base=0.02), retries=4)
        # redis-py's own limit of 100 raises in a burst of 40 runs; a blocking pool costs a third of the speed
        async with Redis.from_url(url, max_connections=1000, retry=retry) as redis:
            yield cls(redis, serde=serde, ttl=ttl)

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
        blobs = [
            address.blob(name, version) for name, version in checkpoint["channel_versions"].items() if name in values
        ]
        links = Links(parent.id, metadata.get("run_id"), blobs)
        fresh: list[str | bytes] = []
        for name, version in new_versions.items():
            if name in values:
                fresh += [address.blob(name, version), packer.pack(values[name])]
        record: list[str | bytes] = [
            packer.pack({**checkpoint, "channel_values": {}}),
            packer.pack(metadata),
            links.dump(),
        ]
        await self._write(self._put, config, [address.member, *record, *fresh])
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
        await self._write(self._put_writes, config, args)

    async def adelete_thread(self, thread_id: str) -> None:
        await self.redis.unlink(*self._keys(thread_id).all())

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete what these runs wrote, in every thread. Looks through all threads with SCAN."""
        doomed = set(run_ids)
        async for thread in self._threads():
            links = await self._links(thread)
            await self._drop_members(thread, [member for member, link in links.items() if link.run in doomed])

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Make the target hold exactly what the source holds; nothing happens when there is no source."""
        sources, targets = self._keys(source_thread_id).all()[1:], self._keys(target_thread_id).all()[1:]
        async with self.redis.pipeline(transaction=True) as pipe:
            for key in sources:
                pipe.dump(key)
            dumps = await pipe.execute()
        if not any(dumps):
            return
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.unlink(*targets)
            for key, dump in zip(targets, dumps, strict=True):
                if dump is not None:
                    pipe.restore(key, (self.ttl or 0) * 1000, dump)
            await pipe.execute()

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete all checkpoints, or all but the latest of each namespace and what it is rebuilt from."""
        if strategy not in {"keep_latest", "delete"}:
            raise ValueError(f"Unknown prune strategy {strategy!r}: use 'keep_latest' or 'delete'.")
        for thread_id in map(str, thread_ids):
            if strategy == "delete":
                await self.adelete_thread(thread_id)
            else:
                links = await self._links(thread_id)
                kept = await self._needed(thread_id, links)
                await self._drop_members(thread_id, [member for member in links if member not in kept])

    def get_next_version(self, current: str | float | None, channel: None) -> str:  # noqa: ARG002 - interface
        """A counter plus randomness: two forks of one checkpoint never share a channel version."""
        number = 1 if current is None else int(str(current).partition(".")[0]) + 1
        return f"{number:012}.{secrets.token_hex(6)}"

    def _keys(self, thread: str) -> Keys:
        return Keys(self.prefix, thread)

    async def _run(self, script: AsyncScript, thread: str, args: Iterable[str | bytes | int]) -> Any:
        try:
            return await script(self._keys(thread).all(), args)
        except ResponseError as error:
            if str(error).startswith("STALEWRITER"):
                raise StaleWriter(f"A writer with a higher token has taken thread {thread} over.") from error
            if str(error).startswith("LOSTDATA"):
                raise LostData(f"The index of thread {thread} is gone, its checkpoints are not.") from error
            raise

    async def _write(self, script: AsyncScript, config: RunnableConfig, args: Iterable[str | bytes]) -> None:
        token = config["configurable"].get(FENCE, "")
        await self._run(script, Address.of(config).thread, [token, self.ttl or 0, *args])

    async def _fetch(self, address: Address) -> CheckpointTuple | None:
        reply: Reply | None = await self._run(self._get, address.thread, [address.member])
        return self._load(address.thread, reply) if reply else None

    def _load(self, thread: str, reply: Reply) -> CheckpointTuple:
        member, checkpoint, metadata, links, blobs, writes = reply
        address, linked = Address.of_member(thread, member.decode()), Links.load(links)
        packer, values = Packer(self.serde), {}
        for channel, blob in zip(linked.channels, blobs, strict=True):
            if blob is None:
                raise LostData(f"Thread {thread}: the value of channel {channel} is gone from Redis.")
            values[channel] = packer.value(blob)
        parent = Address(thread, address.namespace, linked.parent)
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

    async def _links(self, thread: str) -> dict[str, Links]:
        """Links by member, oldest first in each namespace."""
        members = [address.member for address in await self._index(thread)]
        if not members:
            return {}
        fields = [f"{member}:links" for member in members]
        found = cast("list[bytes]", await self.redis.hmget(self._keys(thread)["checkpoints"], fields))
        return {member: Links.load(text) for member, text in zip(members, found, strict=True) if text}

    async def _needed(self, thread: str, links: Mapping[str, Links]) -> set[str]:
        """The latest member of each namespace, and the ancestors that its delta channels are rebuilt from."""
        latest = {Address.of_member(thread, member).namespace: member for member in links}
        needed: set[str] = set()
        for member in latest.values():
            head = await self._fetch(Address.of_member(thread, member))
            counters = head.metadata.get("counters_since_delta_snapshot", {}) if head else {}
            written = head.checkpoint["channel_versions"] if head else {}
            needed.update(lineage(member, links, counters.keys() & written.keys()))
        return needed

    async def _drop_members(self, thread: str, members: Sequence[str]) -> None:
        if members:
            await self._run(self._drop, thread, members)
