"""Policy documents: Markdown with YAML front matter, cut into sections at `##`.

A section is what is found, quoted and cited. `## Heading {#anchor}` pins an anchor, so that a heading can be
reworded or translated while citations stay good.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.errors import ConfigurationError
from tools.knowledge.answers import sentences
from tools.knowledge.types import Passage

Audience = Literal["customer", "internal"]

FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n(.*)\Z", re.DOTALL)
HEADING = re.compile(r"^##[ \t]+(.+?)(?:[ \t]+\{#([a-z0-9-]+)\})?[ \t]*#*$", re.MULTILINE)
TITLE = re.compile(r"^#[ \t]+.*$", re.MULTILINE)


class FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1)]
    effective: date
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
    audience: Audience


@dataclass(frozen=True, kw_only=True)
class Section:
    """A passage with what decides who may see it, and from when."""

    passage: Passage
    effective: date
    audience: Audience
    position: int
    """Place in the document, from 0."""

    @property
    def key(self) -> str:
        passage = self.passage
        return f"{passage.document}@{passage.version}/{passage.locale}#{passage.anchor}"

    @property
    def indexed(self) -> str:
        """The text that is embedded and searched: a section alone does not say what it is about."""
        return f"{self.passage.title}: {self.passage.section}\n{self.passage.text}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.indexed.encode()).hexdigest()


def read_folder(folder: Path) -> tuple[Section, ...]:
    """All sections of all `*.md` under `folder`. `ConfigurationError` names the file and the field."""
    paths = sorted(folder.rglob("*.md"))
    if not paths:
        raise ConfigurationError(f"There are no Markdown documents in {folder}.")
    seen: dict[str, Path] = {}
    sections = []
    for path in paths:
        for section in read_document(path):
            if section.key in seen:
                raise ConfigurationError(f"{path}: id, version and locale are the same as in {seen[section.key].name}.")
            sections.append(section)
        seen |= {section.key: path for section in sections}
    return tuple(sections)


def read_document(path: Path) -> tuple[Section, ...]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as UTF-8 text.") from error
    match = FRONT_MATTER.match(text)
    if match is None:
        raise ConfigurationError(f"{path}: does not start with front matter between two lines of `---`.")
    head = _front_matter(path, match[1])
    sections = tuple(_sections(head, match[2]))
    _refuse_empty_or_doubled(path, sections)
    return sections


def slug(heading: str) -> str:
    """`Refunds on annual plans` → `refunds-on-annual-plans`; accents are dropped, `ß` becomes `ss`."""
    plain = unicodedata.normalize("NFKD", heading.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _front_matter(path: Path, text: str) -> FrontMatter:
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: the front matter is not valid YAML.") from error
    try:
        return FrontMatter.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"])) or "front matter"
        raise ConfigurationError(f"{path}: `{field}`: {first['msg']}.") from error


def _sections(head: FrontMatter, body: str) -> Iterator[Section]:
    for position, (heading, anchor, text) in enumerate(_chunks(head.title, body)):
        passage = Passage(
            document=head.id,
            version=str(head.version),
            title=head.title,
            section=heading,
            anchor=anchor or slug(heading),
            text=text,
            locale=head.locale,
        )
        yield Section(passage=passage, effective=head.effective, audience=head.audience, position=position)


def _chunks(title: str, body: str) -> Iterator[tuple[str, str | None, str]]:
    """(heading, pinned anchor, text). Words before the first `##` are a section named as the document."""
    headings = list(HEADING.finditer(body))
    starts = [*(heading.start() for heading in headings), len(body)]
    opening = TITLE.sub("", body[: starts[0]], count=1).strip()
    if opening:
        yield title, None, opening
    for heading, end in zip(headings, starts[1:], strict=True):
        yield heading[1], heading[2], body[heading.end() : end].strip()


def _refuse_empty_or_doubled(path: Path, sections: tuple[Section, ...]) -> None:
    if not sections:
        raise ConfigurationError(f"{path}: has no text.")
    for anchor, times in Counter(section.passage.anchor for section in sections).items():
        if not anchor or times > 1:
            raise ConfigurationError(f"{path}: the anchor `{anchor}` is empty or used {times} times.")
    for section in sections:
        if not sentences(section.passage.text):
            raise ConfigurationError(f"{path}: the section `{section.passage.section}` is empty.")
