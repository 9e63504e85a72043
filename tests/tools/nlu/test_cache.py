import io
from pathlib import Path

import numpy as np
import pytest

from tests.tools.nlu.conftest import HashingEmbedder
from tools.nlu.cache import key, load_or_train
from tools.nlu.corpus import Corpus, load
from tools.nlu.model import Model

UTTERANCES = """
intents:
  refund_request: {en: [refund please, refund me, I want a refund, give me a refund, refund my payment, refund now]}
  list_invoices: {en: [show invoices, list invoices, my invoices, see invoices, all invoices please, invoices of may]}
  cancel_subscription: {en: [cancel plan, cancel it, cancel my plan, please cancel, cancel now, I cancel today]}
out_of_scope:
  weather: [rain today, sun tomorrow, will it rain]
  poems: [write a poem, a poem please, rhyme for me]
  sport: [who won the match, football score, next game]
  food: [cook pasta, bake bread, order pizza]
  news: [any news, headlines today, what happened in town]
"""


@pytest.fixture
def small(tmp_path: Path) -> Corpus:
    (tmp_path / "small.yaml").write_text(UTTERANCES)
    return load(tmp_path)


def cached(folder: Path) -> Path:
    return next(folder.glob("*.npz"))


def test_training_says_how_far_it_is(small: Corpus, hashing: HashingEmbedder, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    load_or_train(tmp_path, hashing, small, lambda done, of: steps.append((done, of)))
    assert [(n, 8) for n in range(1, 9)] == steps


def test_a_second_load_does_not_train(small: Corpus, hashing: HashingEmbedder, tmp_path: Path) -> None:
    first = load_or_train(tmp_path / "a", hashing, small)
    second = load_or_train(tmp_path / "a", hashing, small)
    assert 1 == hashing.calls
    vector = hashing.embed(["refund the payment"])[0]
    assert np.array_equal(
        first.probabilities("refund the payment", vector), second.probabilities("refund the payment", vector)
    )


def test_training_twice_gives_the_same_model(small: Corpus, hashing: HashingEmbedder, tmp_path: Path) -> None:
    first = load_or_train(tmp_path / "a", hashing, small)
    second = load_or_train(tmp_path / "b", hashing, small)
    assert np.array_equal(first.weights, second.weights)
    assert first.calibration == second.calibration


def test_a_file_that_was_touched_is_not_read(small: Corpus, hashing: HashingEmbedder, tmp_path: Path) -> None:
    load_or_train(tmp_path / "a", hashing, small)
    path = cached(tmp_path / "a")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    load_or_train(tmp_path / "a", hashing, small)
    assert 2 == hashing.calls
    assert whole == path.read_bytes()


def test_a_file_without_its_hash_is_not_read(small: Corpus, hashing: HashingEmbedder, tmp_path: Path) -> None:
    load_or_train(tmp_path / "a", hashing, small)
    cached(tmp_path / "a").with_suffix(".sha256").unlink()
    load_or_train(tmp_path / "a", hashing, small)
    assert 2 == hashing.calls


def test_no_half_written_file_is_left(small: Corpus, hashing: HashingEmbedder, tmp_path: Path) -> None:
    load_or_train(tmp_path / "a", hashing, small)
    assert [".npz", ".sha256"] == sorted(path.suffix for path in (tmp_path / "a").iterdir())


def test_pickles_are_refused() -> None:
    content = io.BytesIO()
    np.savez(content, meta=np.array([{"labels": []}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        Model.parse(content.getvalue())


def test_the_key_follows_the_utterances_and_the_embedder(
    small: Corpus, hashing: HashingEmbedder, tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("out_of_scope: {chess: [play chess]}")
    other = HashingEmbedder()
    other.id = "other"
    assert 3 == len({key(small, hashing), key(load(tmp_path), hashing), key(small, other)})
