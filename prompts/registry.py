"""Text as versioned data: prompts for models and templates of replies, loaded from YAML and checked at load."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

FOLDER = Path(__file__).parent
PLACEHOLDER = re.compile(r"\{(\w+)\}")

VariableType = Literal["text", "number", "money", "date", "identifier", "last4", "duration"]


class PromptError(ValueError):
    """A prompt is not there, is malformed, or was asked for with other variables than it declares."""


class Template(BaseModel):
    """One text with typed variables. Declared and used variables must be the same set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    variables: dict[str, VariableType] = {}

    @model_validator(mode="after")
    def declare_what_is_used(self) -> "Template":
        used = set(PLACEHOLDER.findall(self.text))
        if used != set(self.variables):
            raise ValueError(f"declares {sorted(self.variables)} but uses {sorted(used)}")
        return self

    def fill(self, values: dict[str, str]) -> str:
        """The text with every variable filled in. Raises `PromptError` for a missing or unknown one."""
        if missing := set(self.variables) - set(values):
            raise PromptError(f"missing {sorted(missing)} for {self.text[:40]!r}")
        if unknown := set(values) - set(self.variables):
            raise PromptError(f"unknown {sorted(unknown)} for {self.text[:40]!r}")
        return PLACEHOLDER.sub(lambda match: values[match.group(1)], self.text).strip()


class Prompt(Template):
    """Instructions for a model. `version` goes up with every change, and into the audit log."""

    id: str
    version: int
    purpose: str

    @property
    def stamp(self) -> str:
        return f"{self.id}@{self.version}"


@dataclass(frozen=True)
class Registry:
    prompts: dict[str, Prompt]
    replies: dict[str, dict[str, Template]]
    """Locale, then name of the reply."""

    def prompt(self, name: str) -> Prompt:
        if name not in self.prompts:
            raise PromptError(f"no prompt {name!r}; there are {sorted(self.prompts)}")
        return self.prompts[name]

    def reply(self, name: str, locale: str = "en") -> Template:
        """The template in this language, else in English."""
        for language in (locale, "en"):
            if template := self.replies.get(language, {}).get(name):
                return template
        raise PromptError(f"no reply {name!r}")


@cache
def load(folder: Path = FOLDER) -> Registry:
    """Reads `*.yaml` as prompts and `replies/<locale>.yaml` as replies. Raises `PromptError` naming the file."""
    prompts = [_read(path, Prompt) for path in sorted(folder.glob("*.yaml"))]
    replies = {path.stem: _read_replies(path) for path in sorted((folder / "replies").glob("*.yaml"))}
    return Registry({prompt.id: prompt for prompt in prompts}, replies)


def _read(path: Path, kind: type[Prompt]) -> Prompt:
    try:
        return kind.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise PromptError(f"{path.name}: {error}") from error


class _Strict(yaml.SafeLoader):
    """YAML keeps the last of two equal keys in silence; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key) for key, _ in node.value]
        if twice := {name for name in names if names.count(name) > 1}:
            raise PromptError(f"{sorted(twice)} stands there twice")
        return super().construct_mapping(node, deep)


def _read_replies(path: Path) -> dict[str, Template]:
    try:
        entries = yaml.load(path.read_text("utf-8"), _Strict)  # noqa: S506 - a SafeLoader
        return {name: Template.model_validate(entry) for name, entry in entries.items()}
    except (ValueError, yaml.YAMLError) as error:
        raise PromptError(f"{path.name}: {error}") from error
