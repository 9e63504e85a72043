import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tools.knowledge.minilm import MiniLM
from tools.nlu.features import Floats
from tools.nlu.local import LocalUnderstander


class HashingEmbedder:
    """Words hashed into 384 places: no meaning, but the right shape, at once."""

    id = "hashing"

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, texts: Sequence[str]) -> Floats:
        self.calls += 1
        vectors = np.full((len(texts), 384), 1e-6, dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                vector[zlib.crc32(word.encode()) % 384] += 1
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def hashing() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture(scope="session")
def trained_folder(trained: Path) -> Path:
    return trained / "models"


@pytest.fixture(scope="session")
def understander(trained_folder: Path) -> LocalUnderstander:
    return LocalUnderstander.load(trained_folder, MiniLM.load())
