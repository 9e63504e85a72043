"""The nouns of knowledge: passages of policy documents and answers that quote them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One section of one version of a document."""

    document: str
    """The document's id, e.g. `refunds`."""
    version: str
    title: str
    section: str
    """The section's heading, e.g. `Duplicate charges`."""
    anchor: str
    """The heading as a URL fragment, e.g. `duplicate-charges`."""
    text: str
    locale: str
    score: float = 0.0
    """Relevance to the query, 0 to 1, higher is better."""

    @property
    def citation(self) -> str:
        """`Refund policy (refunds v3), section "Duplicate charges"`."""
        return f'{self.title} ({self.document} v{self.version}), section "{self.section}"'


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Sentences quoted from one passage."""

    text: str
    passage: Passage


class KnowledgeBase(Protocol):
    """Search in the company's own documents. Raises `KnowledgeUnavailable`; never answers from nothing."""

    async def search(self, query: str, *, locale: str = "en", limit: int = 4) -> tuple[Passage, ...]: ...
    async def section(self, document: str, anchor: str) -> Passage | None: ...
    async def answer(self, question: str, *, locale: str = "en") -> Answer | None:
        """The best-supported sentences, or None when the documents do not cover the question."""
        ...
