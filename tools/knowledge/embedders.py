"""What turns texts into vectors. Vectors of two embedders are never mixed: each has an id."""

import re
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
import numpy as np
from numpy.typing import NDArray

from tools.errors import ModelUnavailable

Vectors = NDArray[np.float32]
"""Shape [texts, dimensions]; every row has length 1, so a dot product is a cosine."""

BATCH = 128


class Embedder(Protocol):
    """Blocking by design: callers in an event loop use `asyncio.to_thread`."""

    @property
    def id(self) -> str:
        """Names the vector space; letters, digits, dots and dashes."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors: ...


class OpenAIEmbedder:
    """Any server that speaks OpenAI's `POST /embeddings`. Raises `ModelUnavailable`; retries nothing."""

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.openai.com/v1",
        model: str = "text-embedding-3-small",
        timeout: float = 20.0,
    ) -> None:
        self._model = model
        self._http = httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=timeout)

    @property
    def id(self) -> str:
        return "openai-" + re.sub(r"[^A-Za-z0-9.-]+", "-", self._model).strip("-.")

    def embed(self, texts: Sequence[str]) -> Vectors:
        parts = [self._request(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return unit(np.concatenate(parts)) if parts else np.zeros((0, 0), np.float32)

    def close(self) -> None:
        self._http.close()

    def _request(self, texts: Sequence[str]) -> Vectors:
        try:
            response = self._http.post("embeddings", json={"model": self._model, "input": list(texts)})
            response.raise_for_status()
            rows: list[dict[str, Any]] = response.json()["data"]
            ordered = sorted(rows, key=lambda row: row["index"])
            vectors = np.asarray([row["embedding"] for row in ordered], np.float32)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ModelUnavailable("The embeddings service does not answer.") from error
        if len(vectors) != len(texts):
            raise ModelUnavailable("The embeddings service left texts out.")
        return vectors


def unit(vectors: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays as it is."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)
