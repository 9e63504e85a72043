"""Training of the local reader, and its honest report: a few seconds, no network, the same result every time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.nlu import corpus as corpora
from tools.nlu.corpus import Corpus, Example
from tools.nlu.features import EMBEDDING_WEIGHT, Embedder, Floats, Ints, Row, Vocabulary
from tools.nlu.gloss import english
from tools.nlu.model import Calibration, Model, Neighbours, Report, softmax
from tools.nlu.types import Intent

Progress = Callable[[int, int], None]

FOLDS = 5
_STEPS = FOLDS + 3
_TEMPERATURES = np.geomspace(0.2, 3, 60)


@dataclass(frozen=True, kw_only=True)
class _Data:
    matrix: Any
    """scipy.sparse, one row per text."""
    rows: tuple[Row, ...]
    embeddings: Floats
    target: Ints
    weight: Floats
    fold: Ints
    """-1: seen in every fold, never held out."""
    labels: tuple[Intent, ...]

    @property
    def outside(self) -> int:
        return self.labels.index("out_of_scope")


def _folds(examples: Sequence[Example]) -> list[int]:
    """Intents are dealt out text by text; a topic that is out of scope is held out whole, as new topics will be."""
    topics = sorted({example.group for example in examples if example.intent == corpora.OUT_OF_SCOPE})
    seen: dict[str, int] = {}
    folds = []
    for example in examples:
        seen[example.group] = seen.get(example.group, -1) + 1
        outside = example.intent == corpora.OUT_OF_SCOPE
        folds.append((topics.index(example.group) if outside else seen[example.group]) % FOLDS)
    return folds


def _matrix(vocabulary: Vocabulary, rows: Sequence[Row], embeddings: Floats) -> Any:
    # Slow to import, and only training needs it.
    from scipy import sparse  # type: ignore[import-untyped]  # noqa: PLC0415 - as said

    starts = np.cumsum([0, *(len(row.columns) for row in rows)])
    columns = np.concatenate([row.columns for row in rows])
    weights = np.concatenate([row.weights for row in rows])
    spelling = sparse.csr_matrix((weights, columns, starts), shape=(len(rows), len(vocabulary.idf)))
    return sparse.hstack([spelling, sparse.csr_matrix(EMBEDDING_WEIGHT * embeddings)], format="csr")


def _prepare(corpus: Corpus, embedder: Embedder) -> tuple[Vocabulary, _Data]:
    labels = corpus.labels
    texts = [example.text for example in corpus.examples]
    intents = [example.intent for example in corpus.examples]
    weight, fold = [1.0] * len(texts), _folds(corpus.examples)
    for text, several in corpus.several:
        # A text with two wishes is half an example of each, so that the reader hears both in it.
        texts += [text] * len(several)
        intents += several
        weight += [1 / len(several)] * len(several)
        fold += [-1] * len(several)
    vocabulary = Vocabulary.of(texts)
    rows = tuple(map(vocabulary.row, texts))
    embeddings = np.asarray(embedder.embed([english(text) for text in texts]), dtype=np.float32)
    return vocabulary, _Data(
        matrix=_matrix(vocabulary, rows, embeddings),
        rows=rows,
        embeddings=embeddings,
        target=np.asarray([labels.index(intent) for intent in intents], dtype=np.int32),
        weight=np.asarray(weight, dtype=np.float32),
        fold=np.asarray(fold, dtype=np.int32),
        labels=labels,
    )


def _fit(data: _Data, chosen: NDArray[np.bool_]) -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - two seconds that only training pays

    classifier = LogisticRegression(C=10, max_iter=300, tol=1e-3)
    return classifier.fit(data.matrix[chosen], data.target[chosen], sample_weight=data.weight[chosen])


def _neighbours(vocabulary: Vocabulary, data: _Data) -> Neighbours:
    spelling = data.matrix[:, : len(vocabulary.idf)].tocsc()
    return Neighbours(
        embeddings=data.embeddings,
        starts=spelling.indptr.astype(np.int32),
        rows=spelling.indices.astype(np.int32),
        weights=spelling.data.astype(np.float32),
        in_scope=data.target != data.outside,
    )


def _held_out(data: _Data, near: Neighbours, step: Callable[[], None]) -> tuple[Ints, Floats, Floats]:
    """Indexes, logits and nearness of every text as seen by a model that was trained without its fold."""
    indexes, logits, signals = [], [], []
    for fold in range(FOLDS):
        held = np.flatnonzero(data.fold == fold)
        learnt = data.fold != fold
        classifier = _fit(data, learnt)
        logits.append(classifier.decision_function(data.matrix[held]))
        allowed = np.flatnonzero(learnt).astype(np.int32)
        signals += [near.signals(data.rows[i], data.embeddings[i], allowed) for i in held]
        indexes.append(held)
        step()
    return np.concatenate(indexes).astype(np.int32), np.concatenate(logits).astype(np.float32), np.stack(signals)


def _temperature(logits: Floats, target: Ints) -> float:
    """The one number that makes the logits' softmax likeliest."""
    picked = np.arange(len(target))
    losses = [-np.log(softmax(logits / t)[picked, target] + 1e-9).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _calibrate(data: _Data, target: Ints, logits: Floats, signals: Floats) -> Calibration:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

    inside = target != data.outside
    without = logits.copy()
    without[:, data.outside] = -1e9
    evidence = np.stack(
        [Calibration.evidence(row, data.outside, near) for row, near in zip(logits, signals, strict=True)]
    )
    gate = LogisticRegression(C=1.0, max_iter=1000).fit(evidence, inside)
    return Calibration(
        temperature=_temperature(without[inside], target[inside]),
        gate=(*map(float, gate.coef_[0]), float(gate.intercept_[0])),
    )


def calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean gap between confidence and accuracy over equally filled bins."""
    order = np.argsort(confidence)
    gaps = [
        abs(float(confidence[part].mean()) - float(right[part].mean())) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return sum(gaps) / len(confidence)


def _report(data: _Data, target: Ints, probabilities: Floats) -> Report:
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    inside = target != data.outside
    right = top == target
    acted = (top != data.outside) & (confidence >= 0.7)
    return Report(
        accuracy=float(right[inside].mean()),
        calibration_error=calibration_error(confidence, right),
        out_of_scope_recall=float(1 - acted[~inside].mean()),
        in_scope_kept=float((acted & right)[inside].mean()),
        examples=len(target),
    )


def train(embedder: Embedder, corpus: Corpus | None = None, progress: Progress | None = None) -> Model:
    """A calibrated model of the corpus (ours, when none is given). `progress(done, of)` is called at every step."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, _STEPS)

    vocabulary, data = _prepare(corpus or corpora.shipped(), embedder)
    near = _neighbours(vocabulary, data)
    step()
    held, logits, signals = _held_out(data, near, step)
    target = data.target[held]
    calibration = _calibrate(data, target, logits, signals)
    rows = zip(logits, signals, strict=True)
    probabilities = np.stack([calibration.probabilities(row, data.outside, signal) for row, signal in rows])
    step()
    classifier = _fit(data, np.ones(len(data.target), dtype=bool))
    step()
    return Model(
        labels=data.labels,
        vocabulary=vocabulary,
        weights=np.ascontiguousarray(classifier.coef_.T, dtype=np.float32),
        bias=classifier.intercept_.astype(np.float32),
        neighbours=near,
        calibration=calibration,
        report=_report(data, target, probabilities),
    )
