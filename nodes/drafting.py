"""Drafts of replies: templates filled with typed values, collecting the facts they state on the way."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Self

from babel.dates import format_date

from prompts.registry import PromptError, VariableType, load
from tools.knowledge.types import Passage
from tools.money import Money
from tools.safety.types import Facts

Json = dict[str, Any]
Value = str | int | Money | date | datetime

LOCALE = "en_US"
"""That of the one language that replies are written in so far."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A reply before it is worded. `prompt` names the instructions that a model would word it by."""

    text: str = ""
    facts: Facts = field(default_factory=Facts)
    cards: tuple[Json, ...] = ()
    citations: tuple[Json, ...] = ()
    prompt: str = "resolve"

    def __add__(self, other: "Draft") -> "Draft":
        """Two paragraphs."""
        return self._join(other, "\n\n")

    def then(self, other: "Draft") -> "Draft":
        """Two sentences of one paragraph."""
        return self._join(other, " ")

    def line(self, other: "Draft") -> "Draft":
        """Two lines of one paragraph."""
        return self._join(other, "\n")

    def _join(self, other: "Draft", between: str) -> "Draft":
        return Draft(
            text=between.join(part for part in (self.text, other.text) if part),
            facts=merge(self.facts, other.facts),
            cards=(*self.cards, *other.cards),
            citations=(*self.citations, *other.citations),
            prompt=other.prompt if not self.text else self.prompt,
        )

    def with_card(self, card: Json) -> "Draft":
        return replace(self, cards=(*self.cards, card))

    def citing(self, passage: Passage) -> "Draft":
        cited = {
            "document": passage.document,
            "version": passage.version,
            "title": passage.title,
            "section": passage.section,
            "anchor": passage.anchor,
        }
        return replace(self, citations=(*self.citations, cited))

    def worded_by(self, prompt: str) -> "Draft":
        return replace(self, prompt=prompt)

    def to_json(self) -> Json:
        facts = {name: sorted(getattr(self.facts, name)) for name in Facts.__dataclass_fields__}
        return {
            "text": self.text,
            "facts": facts,
            "cards": list(self.cards),
            "citations": list(self.citations),
            "prompt": self.prompt,
        }

    @classmethod
    def from_json(cls, data: Json | None) -> Self:
        if not data:
            return cls()
        facts = {name: frozenset(map(_hashable, values)) for name, values in data["facts"].items()}
        return cls(
            text=data["text"],
            facts=Facts(**facts),
            cards=tuple(data["cards"]),
            citations=tuple(data["citations"]),
            prompt=data["prompt"],
        )


def draft(template: str, /, **values: Value | Draft) -> Draft:
    """Fills the reply template `template`. A `Draft` given as a value brings its text, facts, cards and citations.

    Raises `PromptError` for a missing, unknown or wrongly typed value.
    """
    declared = load().reply(template)
    result = Draft()
    filled: dict[str, str] = {}
    for name, value in values.items():
        kind = declared.variables.get(name, "text")
        part = value if isinstance(value, Draft) else _format(kind, value)
        filled[name] = part.text
        result = replace(
            result,
            facts=merge(result.facts, part.facts),
            cards=(*result.cards, *part.cards),
            citations=(*result.citations, *part.citations),
        )
    return replace(result, text=declared.fill(filled))


def lines(parts: list[Draft]) -> Draft:
    """Drafts under one another."""
    result = Draft()
    for part in parts:
        result = result.line(part)
    return result


def sentences(parts: list[Draft]) -> Draft:
    """Drafts behind one another in one paragraph."""
    result = Draft()
    for part in parts:
        result = result.then(part)
    return result


def merge(one: Facts, other: Facts) -> Facts:
    return Facts(**{name: getattr(one, name) | getattr(other, name) for name in Facts.__dataclass_fields__})


def done(deed: str) -> Draft:
    """Nothing to say, but the fact that this was done, with a receipt."""
    return Draft(facts=Facts(deeds=frozenset({deed})))


def quoted(passage: Passage, text: str) -> Draft:
    """Words of a policy document, taken as they are."""
    return Draft(text=" ".join(text.split())).citing(passage)


def _format(kind: VariableType, value: Value) -> Draft:
    match kind, value:
        case "money", Money():
            fact = Facts(amounts=frozenset({(abs(value.amount), value.currency)}))
            return Draft(text=value.text(LOCALE), facts=fact)
        case "date", date():
            day = value.date() if isinstance(value, datetime) else value
            return Draft(text=format_date(day, "long", LOCALE), facts=Facts(dates=frozenset({day.isoformat()})))
        case "identifier", str():
            return Draft(text=value, facts=Facts(identifiers=frozenset({value})))
        case "last4", str():
            return Draft(text=value, facts=Facts(last4s=frozenset({value})))
        case "duration", str():
            return Draft(text=value, facts=Facts(durations=frozenset({value})))
        case "text", str():
            return Draft(text=value)
        case "number", int():
            return Draft(text=str(value))
        case _:
            raise PromptError(f"{value!r} is no {kind}")


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
