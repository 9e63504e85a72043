"""Understanding without a language model: our own utterances, our own classifier, on this machine."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.nlu import clauses, corpus, cues
from tools.nlu.cache import load_or_train
from tools.nlu.features import Embedder, Floats
from tools.nlu.gloss import english
from tools.nlu.language import detect
from tools.nlu.model import Model, Report
from tools.nlu.slots import parse
from tools.nlu.training import Progress
from tools.nlu.types import Intent, Reading, Slots, Understanding

SURE = 0.7
_SMALL_TALK: frozenset[Intent] = frozenset({"greeting", "thanks", "goodbye", "affirm", "decline", "out_of_scope"})
_CONTACT: frozenset[Intent] = frozenset({"give_email", "give_phone", "give_code"})
# What is told only to explain the wish: "I can't pay it all now, can I pay in 3 parts?"
_BACKGROUND: frozenset[tuple[Intent, Intent]] = frozenset(
    {
        ("payment_failed", "payment_plan"),
        ("payment_failed", "extend_due_date"),
        ("explain_charge", "duplicate_charge"),
        ("explain_charge", "fraud_report"),
        ("refund_request", "duplicate_charge"),
        ("refund_request", "charged_after_cancel"),
        ("cancel_subscription", "charged_after_cancel"),
        ("subscription_status", "charged_after_cancel"),
    }
)
_REFUSED = Reading(intent="decline", confidence=0.8)
_VERY_SURE = 0.9
_SHOWN = 3
_LONGEST_TEXT = 2000


class LocalUnderstander:
    """Reads by deterministic cues first, then by the classifier, clause by clause. Never raises, never calls out."""

    def __init__(self, model: Model, embedder: Embedder) -> None:
        self._model = model
        self._embedder = embedder

    @classmethod
    def load(cls, folder: Path, embedder: Embedder, *, progress: Progress | None = None) -> "LocalUnderstander":
        """From the cache under `folder`, or trained now when the utterances or the code have changed."""
        return cls(load_or_train(folder, embedder, corpus.shipped(), progress), embedder)

    @property
    def report(self) -> Report:
        return self._model.report

    async def understand(self, text: str, *, history: tuple[str, ...] = ()) -> Understanding:
        return await asyncio.to_thread(self.read, text, talking=bool(history))

    def read(self, text: str, *, talking: bool = False) -> Understanding:
        """The same without a thread, for evals and benches."""
        text = text[:_LONGEST_TEXT]
        slots = parse(text)
        cue = cues.read_cue(text, talking=talking)
        readings = (cue, *self._beside(cue, text, slots)) if cue else self._heard(text, slots)
        return Understanding(readings=readings, slots=slots, language=detect(text))

    def _beside(self, cue: Reading, text: str, slots: Slots) -> tuple[Reading, ...]:
        """The wishes that come with a code."""
        rest = cues.beside_code(text) if cue.intent == "give_code" else ""
        if not rest or cues.read_cue(rest):
            return ()
        wishes = _wishes(self._heard(rest, slots))
        return tuple(replace(wish, confidence=min(wish.confidence, cue.confidence)) for wish in wishes)

    def _heard(self, text: str, slots: Slots) -> tuple[Reading, ...]:
        """What is refused is not heard as a wish; where nothing else is wished for, it is a no."""
        rest = cues.without_refused(text)
        readings = self._classify(text, slots)
        if rest == text or _wishes(readings):
            return readings
        readings = self._classify(rest, slots)
        if _wishes(readings):
            return readings
        return (_REFUSED, *(r for r in readings if r.intent != "decline" and r.confidence < _REFUSED.confidence))

    def _classify(self, text: str, slots: Slots) -> tuple[Reading, ...]:
        if not any(map(str.isalnum, text)):
            return (Reading(intent="out_of_scope", confidence=0.4),)
        parts = clauses.split(text)
        parts = parts if len(parts) > 1 else ()
        vectors = self._embedder.embed([english(part) for part in (text, *parts)])
        whole = _ranked(self._model, text, vectors[0], slots)
        clause_readings = [
            cues.read_cue(part) or _ranked(self._model, part, vector, slots)[0]
            for part, vector in zip(parts, vectors[1:], strict=True)
        ]
        return merge(whole, clause_readings)


def _ranked(model: Model, text: str, embedding: Floats, slots: Slots) -> tuple[Reading, ...]:
    """All labels by probability; what the text cannot mean is left out, and what it stood for stays unsaid."""
    probabilities = model.probabilities(text, embedding)
    readings = [
        Reading(intent=label, confidence=float(p))
        for label, p in zip(model.labels, probabilities, strict=True)
        if cues.is_possible(label, text, slots)
    ]
    return tuple(sorted(readings, key=lambda reading: -reading.confidence))


def _wishes(readings: Sequence[Reading]) -> list[Reading]:
    """The sure ones that ask for something, each intent once, the surest first."""
    best: dict[Intent, Reading] = {}
    for reading in readings:
        if reading.confidence >= SURE and reading.intent not in _SMALL_TALK | _CONTACT:
            best[reading.intent] = max(reading, best.get(reading.intent, reading), key=lambda r: r.confidence)
    return sorted(best.values(), key=lambda r: -r.confidence)


def merge(whole: tuple[Reading, ...], parts: Sequence[Reading]) -> tuple[Reading, ...]:
    """One reading of the message from that of the whole and those of its clauses.

    The whole decides where it is sure of something that no clause says by itself ("I cancelled, and you charged me
    again"). Else clauses that are sure add up, and small talk beside a wish is dropped.
    """
    top, wishes = whole[0], _wishes(parts)
    if top.confidence >= _VERY_SURE:
        wishes = [wish for wish in wishes if (wish.intent, top.intent) not in _BACKGROUND]
    said = {wish.intent for wish in wishes}
    if wishes and (top.intent in said or top.confidence < SURE or top.intent in _SMALL_TALK | _CONTACT):
        chosen = wishes[:_SHOWN]
    else:
        chosen = list(whole[:_SHOWN])
    contacts = [part for part in parts if part.intent in _CONTACT and part.intent not in {r.intent for r in chosen}]
    lowest = chosen[0].confidence
    chosen += [Reading(intent=part.intent, confidence=min(part.confidence, lowest)) for part in contacts[:1]]
    return tuple(sorted(chosen, key=lambda reading: -reading.confidence))
