"""TF-IDF over words (1–2) and characters within words (2–5), and sentence embeddings beside it.

Written out instead of taken from scikit-learn: that takes two seconds to import, and its vectoriser can only be
stored as a pickle.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tools.nlu.gloss import english
from tools.nlu.slots import EMAIL, INVOICE_NUMBER

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

EMBEDDING_WEIGHT = 2.0
_WORD = re.compile(r"[^\W_]+|[☀-➿\U0001f300-\U0001faff]")


class Embedder(Protocol):
    """Sentences to unit vectors of 384 numbers. `id` names the weights."""

    id: str

    def embed(self, texts: Sequence[str]) -> Floats: ...


def normalise(text: str) -> str:
    """Values become their kind, so that nobody's address or amount is learnt."""
    text = EMAIL.sub(" emailaddress ", text)
    text = INVOICE_NUMBER.sub(" invoicenumber ", text)
    text = re.sub(r"[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:[$€£¥]|usd\b|eur\b)", " someamount ", text, flags=re.IGNORECASE)
    return re.sub(r"\d+", "0", text.lower().replace("’", "'"))


def _grams(text: str) -> Iterator[str]:
    yield from _grams_of(normalise(text))
    crib = english(text)
    if crib != text:
        yield from _grams_of(normalise(crib))


def _grams_of(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from (f"w {word}" for word in words)
    yield from (f"w {first} {second}" for first, second in pairwise(words))
    for word in words:
        padded = f" {word} "
        for size in range(2, 6):
            yield from (f"c{padded[i : i + size]}" for i in range(max(1, len(padded) - size + 1)))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One text as sparse weights; the word block and the character block are each of length one."""

    columns: Ints
    weights: Floats


@dataclass(frozen=True)
class Vocabulary:
    index: dict[str, int]
    idf: Floats

    @classmethod
    def of(cls, texts: Sequence[str], *, least: int = 2) -> "Vocabulary":
        """Every gram that occurs in `least` texts or more."""
        counts = Counter(gram for text in texts for gram in set(_grams(text)))
        kept = sorted(gram for gram, count in counts.items() if count >= least)
        idf = [math.log((1 + len(texts)) / (1 + counts[gram])) + 1 for gram in kept]
        return cls({gram: i for i, gram in enumerate(kept)}, np.asarray(idf, dtype=np.float32))

    def row(self, text: str) -> Row:
        counts = Counter(gram for gram in _grams(text) if gram in self.index)
        columns = np.asarray([self.index[gram] for gram in counts], dtype=np.int32)
        is_word = np.asarray([gram[0] == "w" for gram in counts], dtype=bool)
        weights = (1 + np.log(np.asarray(list(counts.values()), dtype=np.float32))) * self.idf[columns]
        for block in (is_word, ~is_word):
            weights[block] /= max(float(np.linalg.norm(weights[block])), 1e-9)
        return Row(columns=columns, weights=weights.astype(np.float32))
