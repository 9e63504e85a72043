"""Where a thread lives in Redis, and how its values are packed.

A thread is six keys that share one hash tag, so one script or transaction can touch them all, in a
cluster too, and deleting, expiring or copying a thread never has to look for keys:

    <prefix>:{<thread>}:index        ZSET  `<namespace>/<checkpoint id>`, all scores 0: sorted by id
    <prefix>:{<thread>}:checkpoints  HASH  `<member>:checkpoint|metadata|links` of each member of index
    <prefix>:{<thread>}:blobs        HASH  `<namespace>/<channel>/<version>` -> value, stored once per version
    <prefix>:{<thread>}:written      ZSET  `<member>/<task id>/<idx>`, the fields of `writes` in order
    <prefix>:{<thread>}:writes       HASH  pending writes
    <prefix>:{<thread>}:fence        the highest fencing token that has written, when tokens are used

The server itself reads only `links` (JSON of a checkpoint's parent, run, blobs and delta channels) and the heads of
writes (task path and channel). Everything else goes through the serializer, so an encrypting one leaves no state or
metadata in clear.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import get_checkpoint_id, writes_sort_key
from langgraph.checkpoint.serde.base import SerializerProtocol

# "/" sorts directly before "0": the members of one namespace lie between "<namespace>/" and "<namespace>0".
SEPARATOR = "/"


@lru_cache(maxsize=4096)
def escape(text: str) -> str:
    return quote(text, safe=":|")


@dataclass(frozen=True)
class Keys:
    """The keys of one thread."""

    prefix: str
    thread: str

    def __getitem__(self, kind: str) -> str:
        return f"{self.prefix}:{{{escape(self.thread)}}}:{kind}"

    def all(self) -> list[str]:
        home = self[""]
        return [home + kind for kind in ("fence", "index", "checkpoints", "blobs", "written", "writes")]

    @classmethod
    def of_index(cls, prefix: str, key: str) -> "Keys":
        return cls(prefix, unquote(key.removeprefix(f"{prefix}:{{").removesuffix("}:index")))


@dataclass(frozen=True)
class Address:
    """Names one checkpoint; with an empty id, the latest of its namespace."""

    thread: str
    namespace: str
    id: str

    @classmethod
    def of(cls, config: RunnableConfig) -> "Address":
        configurable = config["configurable"]
        namespace = configurable.get("checkpoint_ns") or ""
        return cls(str(configurable["thread_id"]), namespace, get_checkpoint_id(config) or "")

    @classmethod
    def of_member(cls, thread: str, member: str) -> "Address":
        namespace, _, checkpoint_id = member.partition(SEPARATOR)
        return cls(thread, unquote(namespace), unquote(checkpoint_id))

    @property
    def member(self) -> str:
        return f"{escape(self.namespace)}{SEPARATOR}{escape(self.id)}"

    def config(self) -> RunnableConfig:
        names = {"thread_id": self.thread, "checkpoint_ns": self.namespace, "checkpoint_id": self.id}
        return {"configurable": names}

    def blob(self, channel: str, version: str | float) -> str:
        return SEPARATOR.join((escape(self.namespace), escape(channel), str(version)))

    def write(self, task_id: str, idx: int) -> str:
        return SEPARATOR.join((self.member, task_id, str(idx)))


@dataclass(frozen=True)
class Links:
    """What one checkpoint refers to. The server reads it, so every name in it is escaped as in the fields."""

    parent: str
    """Id; empty for the first."""
    run: str | None
    blobs: list[str]
    deltas: list[str] = field(default_factory=list)
    """Channels that have no value here, but that of an ancestor and the writes since."""

    @property
    def channels(self) -> list[str]:
        return [unquote(name.split(SEPARATOR)[1]) for name in self.blobs]

    def dump(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def load(cls, text: bytes) -> "Links":
        return cls(**json.loads(text))


@lru_cache(maxsize=4096)
def _head(*words: str) -> bytes:
    return json.dumps(words).encode() + b"\0"


@dataclass(frozen=True)
class Packer:
    """Values as bytes that carry the serializer's type tag: `<tag>NUL<data>`."""

    serde: SerializerProtocol

    def pack(self, value: Any, *header: str) -> bytes:
        tag, data = self.serde.dumps_typed(value)
        return _head(*header, tag) + data

    def unpack(self, packed: bytes) -> tuple[list[str], Any]:
        head, _, data = packed.partition(b"\0")
        *header, tag = json.loads(head)
        return header, self.serde.loads_typed((tag, data))

    def value(self, packed: bytes) -> Any:
        return self.unpack(packed)[1]

    def writes(self, address: Address, flat: Sequence[bytes]) -> Iterator[tuple[str, str, Any]]:
        """Pending writes as `(task id, channel, value)`, in the order in which the run applied them."""
        rows = []
        for name, packed in zip(flat[::2], flat[1::2], strict=True):
            task, _, idx = name.decode()[len(address.member) + 1 :].rpartition(SEPARATOR)
            (path, channel), value = self.unpack(packed)
            rows.append((writes_sort_key(path, task, int(idx)), channel, value))
        rows.sort(key=lambda row: row[0])
        return ((task, channel, value) for (_, task, _), channel, value in rows)
