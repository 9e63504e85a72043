"""Brings the index in line with a folder of documents. Twice the same folder changes nothing."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.errors import KnowledgeUnavailable, ModelUnavailable
from tools.knowledge.answers import sentences
from tools.knowledge.base import Knowledge
from tools.knowledge.documents import Section, read_folder
from tools.knowledge.embedders import Embedder, Vectors, unit
from tools.knowledge.store import record

BATCH = 16
WINDOW = 160
"""Words that surely fit an embedder's shortest input (256 tokens)."""

Progress = Callable[[int, int], None]
"""Called with sections embedded so far, and in all."""


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    documents: int
    sections: int
    embedded: int
    """Sections whose text was new."""
    relabelled: int
    """Sections whose text was known and whose front matter or place changed."""
    removed: int
    unchanged: int


async def ingest(knowledge: Knowledge, folder: Path, *, progress: Progress | None = None) -> IngestReport:
    """Raises `ConfigurationError` for a bad document, before anything is written."""
    sections = await asyncio.to_thread(read_folder, folder)
    store = knowledge.store
    stored = await store.records()
    changed = [section for section in sections if stored.get(section.key) != record(section)]
    known = await store.vectors() if changed else {}
    new = [section for section in changed if section.digest not in known]
    known |= await _embed(knowledge.embedder, new, progress)
    await store.put(changed, [known[section.digest] for section in changed])
    gone = stored.keys() - {section.key for section in sections}
    await store.delete(sorted(gone))
    await _publish(knowledge, sections)
    return IngestReport(
        documents=len({section.passage.document for section in sections}),
        sections=len(sections),
        embedded=len(new),
        relabelled=len(changed) - len(new),
        removed=len(gone),
        unchanged=len(sections) - len(changed),
    )


async def _publish(knowledge: Knowledge, sections: Iterable[Section]) -> None:
    """Last of all: readers load the sections anew when the revision changes."""
    lines = sorted(f"{section.key} {sorted(record(section).items())}" for section in sections)
    revision = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    if revision != await knowledge.store.revision():
        await knowledge.store.set_revision(revision)


async def _embed(embedder: Embedder, sections: Sequence[Section], progress: Progress | None) -> dict[str, Vectors]:
    vectors: dict[str, Vectors] = {}
    for start in range(0, len(sections), BATCH):
        batch = sections[start : start + BATCH]
        vectors |= await asyncio.to_thread(_vectors, embedder, batch)
        if progress:
            progress(start + len(batch), len(sections))
    return vectors


def _vectors(embedder: Embedder, sections: Sequence[Section]) -> dict[str, Vectors]:
    pieces = [windows(section.indexed) for section in sections]
    try:
        rows = embedder.embed([piece for group in pieces for piece in group])
    except ModelUnavailable as error:
        raise KnowledgeUnavailable from error
    groups = np.split(rows, np.cumsum([len(group) for group in pieces])[:-1])
    means = unit(np.stack([group.mean(axis=0) for group in groups]))
    return {section.digest: vector for section, vector in zip(sections, means, strict=True)}


def windows(text: str) -> list[str]:
    """Pieces of whole sentences; a section of usual length is one piece, as it stands."""
    if len(text.split()) <= WINDOW:
        return [text]
    pieces: list[list[str]] = [[]]
    for sentence in sentences(text):
        words = sentence.split()
        if pieces[-1] and len(pieces[-1]) + len(words) > WINDOW:
            pieces.append([])
        pieces[-1].extend(words)
    return [" ".join(piece) for piece in pieces]
