"""The trained reader as plain arrays: logits, calibrated probabilities, and how near a text is to what was learnt."""

import io
import json
from dataclasses import asdict, dataclass

import numpy as np

from tools.nlu.features import EMBEDDING_WEIGHT, Floats, Ints, Row, Vocabulary
from tools.nlu.types import Intent

NEIGHBOURS = 5


@dataclass(frozen=True, kw_only=True)
class Report:
    """How well the model reads texts that it did not see, by five-fold cross-validation on our utterances."""

    accuracy: float
    calibration_error: float
    out_of_scope_recall: float
    in_scope_kept: float
    examples: int


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The training texts, kept to measure distance."""

    embeddings: Floats
    starts: Ints
    rows: Ints
    weights: Floats
    """TF-IDF by column: entries `starts[c]:starts[c + 1]` of rows and weights belong to column c."""
    in_scope: "np.ndarray[tuple[int], np.dtype[np.bool_]]"

    def spelled_like(self, row: Row) -> Floats:
        """Cosine of spelling with every training text."""
        scores = np.zeros(len(self.in_scope), dtype=np.float32)
        for column, weight in zip(row.columns, row.weights, strict=True):
            part = slice(self.starts[column], self.starts[column + 1])
            scores[self.rows[part]] += weight * self.weights[part]
        return np.asarray(scores / 2, dtype=np.float32)

    def signals(self, row: Row, embedding: Floats, allowed: Ints | None = None) -> Floats:
        """Nearness in meaning to what is in scope, to what is not, and nearness in spelling to what is in scope."""
        meaning, spelling, inside = self.embeddings @ embedding, self.spelled_like(row), self.in_scope
        if allowed is not None:
            meaning, spelling, inside = meaning[allowed], spelling[allowed], inside[allowed]
        return np.asarray(
            [_nearest(meaning[inside]), _nearest(meaning[~inside]), _nearest(spelling[inside], 1)], dtype=np.float32
        )


def _nearest(scores: Floats, count: int = NEIGHBOURS) -> float:
    return float(np.mean(np.sort(scores)[-count:])) if len(scores) else 0.0


def softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Turns logits and nearness into probabilities that may be compared with a threshold."""

    temperature: float
    gate: tuple[float, ...]
    """Weights of a logistic regression, intercept last: is this text in scope at all?"""

    def in_scope(self, logits: Floats, outside: int, signals: Floats) -> float:
        score = float(self.evidence(logits, outside, signals) @ np.asarray(self.gate[:-1])) + self.gate[-1]
        return float(1 / (1 + np.exp(-score)))

    @staticmethod
    def evidence(logits: Floats, outside: int, signals: Floats) -> Floats:
        inside = np.delete(logits, outside)
        margin = float(np.log(np.exp(inside - inside.max()).sum()) + inside.max() - logits[outside])
        return np.asarray([margin, float(inside.max()), *signals], dtype=np.float32)

    def probabilities(self, logits: Floats, outside: int, signals: Floats) -> Floats:
        """Sums to one: first whether the text is in scope, then which intent it has if so."""
        inside = self.in_scope(logits, outside, signals)
        scaled = np.asarray(logits / self.temperature, dtype=np.float32)
        scaled[outside] = -np.inf
        spread = softmax(scaled) * inside
        spread[outside] = 1 - inside
        return spread


@dataclass(frozen=True, kw_only=True)
class Model:
    labels: tuple[Intent, ...]
    vocabulary: Vocabulary
    weights: Floats
    """[columns + 384, labels]: spelling first, then meaning."""
    bias: Floats
    neighbours: Neighbours
    calibration: Calibration
    report: Report

    @property
    def outside(self) -> int:
        return self.labels.index("out_of_scope")

    def probabilities(self, text: str, embedding: Floats) -> Floats:
        """One calibrated probability per label."""
        row = self.vocabulary.row(text)
        columns = len(self.vocabulary.idf)
        logits = row.weights @ self.weights[row.columns] + self.bias
        logits = logits + EMBEDDING_WEIGHT * embedding @ self.weights[columns:]
        signals = self.neighbours.signals(row, embedding)
        return self.calibration.probabilities(logits.astype(np.float32), self.outside, signals)

    def dump(self) -> bytes:
        """As npz: arrays and JSON only, nothing that runs when read."""
        meta = {
            "labels": self.labels,
            "vocabulary": list(self.vocabulary.index),
            "calibration": asdict(self.calibration),
            "report": asdict(self.report),
        }
        target = io.BytesIO()
        np.savez(
            target,
            meta=np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8),
            idf=self.vocabulary.idf,
            weights=self.weights,
            bias=self.bias,
            **{f"near_{name}": getattr(self.neighbours, name) for name in Neighbours.__dataclass_fields__},
        )
        return target.getvalue()

    @classmethod
    def parse(cls, content: bytes) -> "Model":
        """The inverse of `dump`."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            meta = json.loads(arrays["meta"].tobytes())
            calibration = meta["calibration"]
            return cls(
                labels=tuple(meta["labels"]),
                vocabulary=Vocabulary({gram: i for i, gram in enumerate(meta["vocabulary"])}, arrays["idf"]),
                weights=arrays["weights"],
                bias=arrays["bias"],
                neighbours=Neighbours(**{n: arrays[f"near_{n}"] for n in Neighbours.__dataclass_fields__}),
                calibration=Calibration(temperature=calibration["temperature"], gate=tuple(calibration["gate"])),
                report=Report(**meta["report"]),
            )
