"""Ranking by words (BM25) and by meaning (cosine of embeddings), mixed.

BM25 after Robertson & Zaragoza 2009, in the always positive form of Lucene. Scores are given as the share of
the best that the query could reach, so that they mean the same for every query: 0 nothing, 1 everything.
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from tools.knowledge.embedders import Vectors

K1 = 1.2
B = 0.75
WORDS_SHARE = 0.3
MEANING_SHARE = 0.7

STOP_WORDS = frozenset(
    """
    a about all am an and any are as at be been but by can could did do does for from get had has have
    how i if in into is it its just me my no not of on or our please shall should so some than that the
    their them then there these they this those to us was we were what when where which while who whom
    why will with would you your
    """.split()  # noqa: SIM905 - a hundred quoted words read worse
)
SUFFIXES = (
    ("ies", "y"), ("sses", "ss"), ("ations", ""), ("ation", ""), ("ments", ""), ("ment", ""), ("ings", ""),
    ("ing", ""), ("ers", ""), ("er", ""), ("ed", ""), ("es", ""), ("ly", ""), ("s", ""), ("e", ""),
)  # fmt: skip


def terms(text: str) -> list[str]:
    """Stems of the words that carry meaning."""
    words = re.findall(r"[^\W_]+", text.casefold().replace("'s", "").replace("’s", ""))
    return [stem(word) for word in words if word not in STOP_WORDS]


def stem(word: str) -> str:
    """Strips one ending: `refunded` → `refund`; `cancelled`, `canceling`, `cancellation` → `cancel`."""
    for suffix, replacement in SUFFIXES:
        if word.endswith(suffix) and not word.endswith("ss") and len(word) - len(suffix) >= 3:
            word = word.removesuffix(suffix) + replacement
            break
    return re.sub(r"(?<=[^aeiou])l$|([b-df-hj-np-tv-z])\1$", r"\1", word)


class BM25:
    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(terms(text)) for text in texts]
        lengths = np.array([sum(counts.values()) for counts in self._counts], np.float32)
        self._norms = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if len(texts) else 1.0, 1.0))
        self._documents = Counter(term for counts in self._counts for term in counts)

    def scores(self, query: str) -> Vectors:
        """[texts], each 0 to 1."""
        weights = {term: self.idf(term) for term in set(terms(query))}
        best = sum(weights.values()) * (K1 + 1)
        total = np.zeros(len(self._counts), np.float32)
        for term, weight in weights.items():
            count = np.array([counts[term] for counts in self._counts], np.float32)
            total += weight * count * (K1 + 1) / (count + self._norms)
        return total / np.float32(best or 1)

    def idf(self, term: str) -> float:
        """A term that no text has is the rarest of all, and drags the score of its query down."""
        having = self._documents[term]
        return log(1 + (len(self._counts) - having + 0.5) / (having + 0.5))


def mix(words: Vectors, meaning: Vectors) -> Vectors:
    return np.asarray(WORDS_SHARE * words + MEANING_SHARE * np.clip(meaning, 0, 1), np.float32)
