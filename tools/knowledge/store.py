"""Sections and their vectors in one Chroma collection. The only module that knows Chroma."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast
from urllib.parse import urlsplit

import numpy as np

from tools.errors import ConfigurationError, KnowledgeUnavailable
from tools.knowledge.documents import Audience, Section
from tools.knowledge.embedders import Vectors
from tools.knowledge.types import Passage

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds for one call: Chroma's own HTTP client would wait for ever."""
WRITE_BATCH = 256

Record = dict[str, Any]
"""What Chroma keeps beside a section's text and vector."""


@dataclass(frozen=True)
class Store:
    """Fails closed: whatever Chroma throws, and silence too, is `KnowledgeUnavailable`."""

    client: "Client"
    name: str

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path | None, url: str | None, space: str) -> AsyncIterator[Self]:
        """A folder or a server; `space` is the embedder's id, so that vectors of two models never meet."""
        if (path is None) == (url is None):
            raise ConfigurationError("Chroma needs either a folder or a URL (CHROMA_URL), and not both.")
        client = await _call(_connect, path, url)
        store = cls(client, f"policies-{space}")
        try:
            await _call(store._create)
            yield store
        finally:
            await asyncio.to_thread(_close, client)

    async def ping(self) -> None:
        await _call(self.client.heartbeat)

    async def count(self) -> int:
        return await _call(lambda: self._collection().count())

    async def revision(self) -> str:
        """Changes whenever the sections do; empty before the first ingestion is complete."""
        return await _call(lambda: str((self._collection().metadata or {}).get("revision", "")))

    async def set_revision(self, revision: str) -> None:
        await _call(lambda: self._collection().modify(metadata={"revision": revision}))

    async def sections(self) -> tuple[Section, ...]:
        found = await _call(lambda: self._collection().get(include=["documents", "metadatas"]))
        rows = zip(found["documents"] or (), found["metadatas"] or (), strict=True)
        return tuple(_section(text, dict(record)) for text, record in rows)

    async def records(self) -> dict[str, Record]:
        found = await _call(lambda: self._collection().get(include=["metadatas"]))
        return {key: dict(row) for key, row in zip(found["ids"], found["metadatas"] or (), strict=True)}

    async def vectors(self) -> dict[str, Vectors]:
        """By the digest of the text that was embedded."""
        found = await _call(lambda: self._collection().get(include=["embeddings", "metadatas"]))
        if found["embeddings"] is None:
            return {}
        rows = zip(found["metadatas"] or (), found["embeddings"], strict=True)
        return {str(record["digest"]): np.asarray(vector, np.float32) for record, vector in rows}

    async def put(self, sections: Sequence[Section], vectors: Sequence[Vectors]) -> None:
        for start in range(0, len(sections), WRITE_BATCH):
            part = slice(start, start + WRITE_BATCH)
            await _call(self._upsert, sections[part], vectors[part])

    async def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), WRITE_BATCH):
            await _call(self._delete, list(keys[start : start + WRITE_BATCH]))

    async def nearest(
        self, vector: Vectors, *, audience: Audience, locales: Sequence[str], limit: int
    ) -> dict[str, float]:
        """Section key → cosine, of at most `limit` sections."""
        where: Any = {"$and": [{"audience": audience}, {"locale": {"$in": list(locales)}}]}
        found = await _call(
            lambda: self._collection().query(
                query_embeddings=[vector.tolist()], n_results=limit, where=where, include=["distances"]
            )
        )
        distances = (found["distances"] or [[]])[0]
        return {key: 1 - distance for key, distance in zip(found["ids"][0], distances, strict=True)}

    def _create(self) -> None:
        self.client.get_or_create_collection(
            self.name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def _collection(self) -> "Collection":
        # Asked for anew each time: another process may have ingested, and its revision is read from here.
        return self.client.get_collection(self.name, embedding_function=None)

    def _delete(self, keys: list[str]) -> None:
        self._collection().delete(ids=keys)

    def _upsert(self, sections: Sequence[Section], vectors: Sequence[Vectors]) -> None:
        self._collection().upsert(
            ids=[section.key for section in sections],
            embeddings=np.stack(vectors),
            documents=[section.passage.text for section in sections],
            metadatas=[record(section) for section in sections],
        )


def record(section: Section) -> Record:
    passage = section.passage
    return {
        "document": passage.document,
        "version": passage.version,
        "title": passage.title,
        "section": passage.section,
        "anchor": passage.anchor,
        "locale": passage.locale,
        "effective": section.effective.isoformat(),
        "audience": section.audience,
        "position": section.position,
        "digest": section.digest,
    }


def _section(text: str, row: Record) -> Section:
    names = ("document", "version", "title", "section", "anchor", "locale")
    return Section(
        passage=Passage(text=text, **{name: row[name] for name in names}),
        effective=date.fromisoformat(row["effective"]),
        audience=cast("Audience", row["audience"]),
        position=row["position"],
    )


def _connect(path: Path | None, url: str | None) -> "Client":
    # Importing Chroma costs a second or two: whoever opens no store does not pay it.
    import chromadb  # noqa: PLC0415 - see above
    from chromadb.config import Settings  # noqa: PLC0415 - see above

    settings = Settings(anonymized_telemetry=False)
    if path is not None:
        path.mkdir(parents=True, exist_ok=True)
        return cast("Client", chromadb.PersistentClient(path, settings=settings))
    parts = urlsplit(url or "")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    return cast("Client", chromadb.HttpClient(parts.hostname or "", port, ssl=secure, settings=settings))


def _close(client: "Client") -> None:
    client.close()
    # Chroma leaves the sockets of its two HTTP clients open, and has no public way to reach them.
    for half in (client, client._admin_client):  # noqa: SLF001
        session = getattr(getattr(half, "_server", None), "_session", None)
        if session is not None:
            session.close()


async def _call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await asyncio.to_thread(function, *args, **kwargs)
    except Exception as error:  # Chroma throws its own, httpx's, SQLite's and bare ValueErrors
        raise KnowledgeUnavailable from error
