"""Our own utterances: YAML files beside this module, by intent and language, or by topic where nothing is in scope."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from tools.nlu.types import Intent

FOLDER = Path(__file__).parent / "utterances"
OUT_OF_SCOPE: Intent = "out_of_scope"


class _Several(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    intents: list[Intent]


class _File(BaseModel):
    """One file of utterances."""

    model_config = ConfigDict(extra="forbid")
    intents: dict[Intent, dict[str, list[str]]] = {}
    """Intent, language, texts."""
    out_of_scope: dict[str, list[str]] = {}
    """Topic, texts."""
    several: list[_Several] = []


@dataclass(frozen=True, kw_only=True)
class Example:
    text: str
    intent: Intent
    group: str
    """Texts of one group resemble each other: a topic, or the intent."""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    examples: tuple[Example, ...]
    several: tuple[tuple[str, tuple[Intent, ...]], ...]
    digest: str

    @property
    def labels(self) -> tuple[Intent, ...]:
        present = {example.intent for example in self.examples}
        return tuple(intent for intent in get_args(Intent) if intent in present)


def _examples(file: _File) -> list[Example]:
    found = [
        Example(text=text, intent=intent, group=intent)
        for intent, languages in file.intents.items()
        for texts in languages.values()
        for text in texts
    ]
    return found + [
        Example(text=text, intent=OUT_OF_SCOPE, group=topic)
        for topic, texts in file.out_of_scope.items()
        for text in texts
    ]


def load(folder: Path = FOLDER) -> Corpus:
    """Every utterance of the folder; ValidationError names what is misspelt."""
    adapter, digest = TypeAdapter(_File), hashlib.sha256()
    examples: list[Example] = []
    several: list[tuple[str, tuple[Intent, ...]]] = []
    for path in sorted(folder.glob("*.yaml")):
        content = path.read_bytes()
        digest.update(content)
        file = adapter.validate_python(yaml.safe_load(content))
        examples += _examples(file)
        several += [(item.text, tuple(item.intents)) for item in file.several]
    return Corpus(examples=tuple(examples), several=tuple(several), digest=digest.hexdigest())


@cache
def shipped() -> Corpus:
    return load()
