"""The company's own policies, searched and quoted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import numpy as np

from tools.errors import KnowledgeUnavailable, ModelUnavailable
from tools.knowledge.answers import THRESHOLD, overlap, quote, sentences, support
from tools.knowledge.documents import Section
from tools.knowledge.embedders import Embedder, Vectors
from tools.knowledge.ranking import BM25, mix
from tools.knowledge.store import Store
from tools.knowledge.types import Answer, Passage

NEAREST = 64
"""Sections asked of Chroma per query; the words rank all of them."""
CANDIDATES = 4
"""Sections whose sentences are weighed for an answer."""


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class View:
    """What one customer can see on one day: of each document one language and one version."""

    sections: tuple[Section, ...]
    index: BM25


class Knowledge:
    """A `KnowledgeBase` on Chroma. Only documents for customers leave it, and only once effective."""

    def __init__(self, store: Store, embedder: Embedder, *, today: Callable[[], date] = _today) -> None:
        self.store = store
        self.embedder = embedder
        self._today = today
        self._revision = ""
        self._sections: tuple[Section, ...] = ()
        self._views: dict[tuple[str, date], View] = {}
        self._sentences: dict[str, Vectors] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path | None,
        url: str | None,
        embedder: Embedder,
        *,
        today: Callable[[], date] = _today,
    ) -> AsyncIterator[Self]:
        """Chroma in the folder `path` or at `url`, exactly one of them."""
        async with Store.open(path, url, embedder.id) as store:
            yield cls(store, embedder, today=today)

    async def ping(self) -> None:
        await self.store.ping()

    async def count(self) -> int:
        """Sections stored, for whichever audience."""
        return await self.store.count()

    async def search(self, query: str, *, locale: str = "en", limit: int = 4) -> tuple[Passage, ...]:
        view = await self._view(locale)
        scores, _ = await self._scores(query, view, await self._vector(query), locale)
        order = np.argsort(-scores, kind="stable")[:limit]
        return tuple(replace(view.sections[i].passage, score=float(scores[i])) for i in order)

    async def section(self, document: str, anchor: str, *, locale: str = "en") -> Passage | None:
        view = await self._view(locale)
        passages = (section.passage for section in view.sections)
        return next((p for p in passages if (p.document, p.anchor) == (document, anchor)), None)

    async def answer(self, question: str, *, locale: str = "en") -> Answer | None:
        view = await self._view(locale)
        vector = await self._vector(question)
        scores, cosines = await self._scores(question, view, vector, locale)
        candidates = np.argsort(-scores, kind="stable")[:CANDIDATES]
        weighed = [await self._weigh(view.sections[i], vector) for i in candidates]
        best = int(np.argmax([scores[i] + near.max() for i, near in zip(candidates, weighed, strict=True)]))
        section, near = view.sections[candidates[best]], weighed[best]
        found = support(
            section=float(cosines[candidates[best]]),
            sentence=float(near.max()),
            words=overlap(question, section.indexed, view.index),
        )
        if found < THRESHOLD:
            return None
        passage = replace(section.passage, score=min(found, 1.0))
        return Answer(text=quote(sentences(passage.text), near), passage=passage)

    async def _scores(self, query: str, view: View, vector: Vectors, locale: str) -> tuple[Vectors, Vectors]:
        """Mixed scores and cosines of the view's sections."""
        near = await self.store.nearest(vector, audience="customer", locales=_chain(locale), limit=NEAREST)
        cosines = np.array([near.get(section.key, 0.0) for section in view.sections], np.float32)
        return mix(view.index.scores(query), cosines), cosines

    async def _weigh(self, section: Section, vector: Vectors) -> Vectors:
        """Cosine of each sentence. Sentences are embedded when first needed, then kept."""
        if section.digest not in self._sentences:
            self._sentences[section.digest] = await self._embed(sentences(section.passage.text))
        near: Vectors = self._sentences[section.digest] @ vector
        return near

    async def _vector(self, text: str) -> Vectors:
        vector: Vectors = (await self._embed([text]))[0]
        return vector

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        try:
            return await asyncio.to_thread(self.embedder.embed, texts)
        except ModelUnavailable as error:
            raise KnowledgeUnavailable from error

    async def _view(self, locale: str) -> View:
        await self._refresh()
        key = (locale, self._today())
        if key not in self._views:
            visible = tuple(_visible(self._sections, _chain(locale), key[1]))
            index = await asyncio.to_thread(BM25, [section.indexed for section in visible])
            self._views = {k: view for k, view in self._views.items() if k[1] == key[1]}
            self._views[key] = View(visible, index)
        if not self._views[key].sections:
            raise KnowledgeUnavailable("There are no policy documents yet. Run `counterfoil ingest`.")
        return self._views[key]

    async def _refresh(self) -> None:
        revision = await self.store.revision()
        if revision != self._revision:
            stored = await self.store.sections()
            self._sections = tuple(section for section in stored if section.audience == "customer")
            self._revision, self._views, self._sentences = revision, {}, {}


def _chain(locale: str) -> tuple[str, ...]:
    """`de-AT` → de-AT, de, en: where to look for a document, in this order."""
    return tuple(dict.fromkeys((locale, locale.partition("-")[0], "en")))


def _visible(sections: Sequence[Section], chain: Sequence[str], today: date) -> list[Section]:
    best: dict[str, tuple[int, int]] = {}
    for section in sections:
        if section.passage.locale in chain and section.effective <= today:
            document = section.passage.document
            best[document] = max(best.get(document, (-len(chain), 0)), _rank(section, chain))
    return sorted(
        (s for s in sections if s.effective <= today and best.get(s.passage.document) == _rank(s, chain)),
        key=lambda s: (s.passage.document, s.position),
    )


def _rank(section: Section, chain: Sequence[str]) -> tuple[int, int]:
    passage = section.passage
    place = chain.index(passage.locale) if passage.locale in chain else len(chain)
    return -place, int(passage.version)
