"""Answers that only quote: the sentences of a section that speak to the question, or nothing."""

import re
from collections.abc import Sequence

import numpy as np

from tools.knowledge.embedders import Vectors
from tools.knowledge.ranking import BM25, terms

THRESHOLD = 0.45
"""Least support for an answer. Chosen on the development half of tests/tools/knowledge/questions.yaml: there
a wrong answer costs more than an offer of a person."""
MOST_SENTENCES = 3
NEARLY_BEST = 0.7

HEADING = re.compile(r"^#+\s.*$", re.MULTILINE)
BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+[.)])\s)")
MARKUP = re.compile(r"^\s*(?:[-*+]|\d+[.)]|#+|>)\s+|\*\*|__|`|!?\[([^\]]*)\]\([^)]*\)")
END = re.compile(r"(?<=[.!?])\s+(?=[\"“„«]?(?:[^\W_a-z]))")
"""After a full stop, before a capital or a digit: `e.g. this` and `acme.example` stay whole."""


def sentences(markdown: str) -> tuple[str, ...]:
    """Plain sentences, list items and headings, in order."""
    spaced = HEADING.sub(r"\n\g<0>\n", markdown)
    blocks = (" ".join(MARKUP.sub(r"\1", block).split()) for block in BLOCK.split(spaced))
    return tuple(sentence for block in blocks if block for sentence in END.split(block))


def overlap(question: str, text: str, index: BM25) -> float:
    """Share of the question's words, by rarity, that the text has: 0 to 1."""
    asked, said = set(terms(question)), set(terms(text))
    total = sum(index.idf(term) for term in asked)
    return sum(index.idf(term) for term in asked & said) / total if total else 0.0


def support(*, section: float, sentence: float, words: float) -> float:
    """How far a section speaks to a question: its cosine, its best sentence's cosine, and shared words."""
    return 0.35 * max(section, 0.0) + 0.35 * max(sentence, 0.0) + 0.3 * words


def quote(parts: Sequence[str], cosines: Vectors) -> str:
    """The best sentence and those nearly as good, in the order of the text."""
    best = np.argsort(-cosines)[:MOST_SENTENCES]
    kept = [index for index in best if cosines[index] >= NEARLY_BEST * cosines[best[0]]]
    return " ".join(parts[index] for index in sorted(kept))
