"""Patterns that are kept as data, because they are long lists of words in four languages."""

import re
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_REFERENCE = re.compile(r"~([A-Z_]+)~")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fragments: dict[str, str | list[str]] = {}
    """Parts by name, a list standing for any of its items; each may refer to those above it as ~NAME~."""
    patterns: dict[str, list[str]]
    """Alternatives by name."""


def load(path: Path) -> dict[str, re.Pattern[str]]:
    """One pattern per name, without regard to case, in the order of the file."""
    file = _File.model_validate(yaml.safe_load(path.read_text("utf-8")))
    known: dict[str, str] = {}

    def filled(text: str) -> str:
        return _REFERENCE.sub(lambda match: known[match[1]], text)

    for name, fragment in file.fragments.items():
        known[name] = filled(fragment if isinstance(fragment, str) else f"(?:{'|'.join(fragment)})")
    return {name: re.compile(filled("|".join(parts)), re.IGNORECASE) for name, parts in file.patterns.items()}
