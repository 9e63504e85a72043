"""A word-by-word crib into English, so that what was learnt in English helps where the embeddings know no words."""

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from tools.nlu.language import detect

PATH = Path(__file__).parent / "glossary.yaml"
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _stems() -> dict[str, dict[str, str]]:
    return TypeAdapter(dict[str, dict[str, str]]).validate_python(yaml.safe_load(PATH.read_text("utf-8")))


@cache
def _gloss(language: str, word: str) -> str:
    stems = _stems()[language]
    if (whole := stems.get(f"{word}=")) is not None:
        return whole
    longest = next((word[:n] for n in range(len(word), 2, -1) if word[:n] in stems), None)
    return stems[longest] if longest else word


def english(text: str) -> str:
    """The text itself when it is English, else its crib; words without an entry stay as they are."""
    language = detect(text)
    if language not in _stems():
        return text
    return _WORD.sub(lambda match: _gloss(language, match.group().lower()), text)
