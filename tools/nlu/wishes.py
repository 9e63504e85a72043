"""What a change is to be: seats, the time that a price is for, a company's name. What is not written is not found."""

import re
from typing import Literal

from tools.nlu.counting import COUNT, count_of

Field = Literal["email", "name", "tax_id", "address", "other"]

_SEATS = (
    r"(?:(?:user|team|workspace)\s+)?(?:seats?|users?|licen[cs]es?|members?|people|accounts?|lizenz(?:en)?|nutzer|plätze|usuarios?"
    r"|licencias?|utilisateurs?|places?)"
)
_ONE = r"(?P<one>an?|another|ein(?:en?)?|un[ea]?|the|my|otr[oa])"
_NEW = r"(?:(?:more|additional|extra|new|another|other|further|weitere|zusätzliche|más|de\s+plus)\s+)"
_MANY = rf"(?:{COUNT}|{_ONE})"
_ADDED = (
    re.compile(rf"(?i)(?<![\w.,-]){_MANY}\s+{_NEW}+(?:\w+\s+)?{_SEATS}\b"),
    re.compile(rf"(?i)(?<![\w.,-]){COUNT}\s+{_SEATS}\s+(?:more|mehr|más|de\s+plus)\b"),
    re.compile(rf"(?i)\b(?:add|adding|buy|añadir|ajouter|hinzufügen)\s+{_MANY}\s+{_NEW}?{_SEATS}\b"),
    re.compile(rf"(?i)\b(?P<one>another)\s+(?:\w+\s+)?{_SEATS}\b"),
)
_REMOVED = (
    re.compile(
        rf"(?i)\b(?:remove|removing|drop|delete|take\s+(?:off|out|away)|cut|quitar|supprimer|retirer)\s+{_MANY}\s+(?:of\s+(?:our|my|the)\s+)?"
        rf"(?:\w+\s+)?{_SEATS}\b"
    ),
    re.compile(rf"(?i)(?<![\w.,-]){COUNT}\s+(?:fewer|less)\s+{_SEATS}\b|\b{_SEATS}\s+(?:fewer|less)\b"),
    re.compile(rf"(?i)\b(?:reduce|lower|decrease)\s+(?:\w+\s+){{0,4}}by\s+{COUNT}\b"),
)
_EXACTLY = (
    re.compile(rf"(?i)\bto\s+{COUNT}\s+{_SEATS}\b"),
    re.compile(rf"(?i)\b(?:number|count)\s+of\s+{_SEATS}\s+(?:\w+\s+){{0,3}}to\s+{COUNT}\b"),
    re.compile(rf"(?i)(?<![\w.,$€£-]){COUNT}\s+{_SEATS}\b"),
    re.compile(rf"(?i)\b{_SEATS}\s+(?:\w+\s+){{0,2}}(?:to|auf|à|a)\s+{COUNT}\b"),
)
_YEARLY = (
    r"(?:annual(?:ly)?|yearly|per\s+year|once\s+a\s+year|jährlich\w*|jahres\w+|anual(?:mente)?|annuel(?:le|lement)?)"
)
_MONTHLY = r"(?:monthly|per\s+month|month\s+to\s+month|monatlich\w*|monats\w+|mensual(?:mente)?|mensuel(?:le|lement)?)"
_INTERVALS: dict[Literal["year", "month"], str] = {"year": _YEARLY, "month": _MONTHLY}
_NAME = re.compile(
    r"(?i)\b(?:(?:company(?:['’]s)?|business|billing|invoice)\s+name|name\s+of\s+(?:our|my|the)\s+company"
    r"|name\s+on\s+(?:my|our|the|all)\s+\w*\s*invoices?|name)\b[^\n\"“”'‘’]{0,60}?"
    r"(?:\bto\b(?!\s+be\b)|\bis\s+now\b|\bshould\s+(?:be|read|say)\b|\binto\b|:)\s*(?P<name>[^\n]+)"
)
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{2,100})[\"”“»]")
_TAILS = (
    r"[,;]?\s+(?:and|also|plus)\s+(?:please\s+)?(?:change|add|use|send|set|update|put|our|my|the|can)\b.*",
    r"[,.!?]?\s*\b(?:please|pls|thanks|thank you|from now on|instead|on (?:all|future|my|our|the)\b.*invoices?)[.! ]*",
    r"(?<!\bInc)(?<!\bLtd)(?<!\bCo)(?<!\bCorp)(?<!\bS\.A)[.!?;,\s]+",
)
_TAIL = re.compile(rf"(?i)(?:{'|'.join(_TAILS)})$")
LONGEST_NAME = 100
_FIELDS: dict[Field, tuple[str, ...]] = {
    "email": (
        "e-?mail",
        "invoice recipient",
        "recipient of (?:the|my|our) invoices?",
        r"\b(?:send|mail|forward)\b.{0,30}\b(?:invoices?|bills?) to\b",
        r"\b(?:invoices?|bills?) (?:should|shall|must|have to) (?:go|be sent|be mailed) to\b",
        "correo",
        "courriel",
    ),
    "tax_id": (
        r"\bvat\b",
        r"\btax[\s-]?(?:id|number|no)\b",
        r"\bust[\s.-]?id\w*",
        r"\bumsatzsteuer\w*",
        r"\b(?:nif|cif|siret|tva|ein number|gst(?:in)?)\b",
    ),
    "name": (r"\bname\b", r"\bnamen?s?\b", r"\bnombre\b", r"\bnom\b", r"\brazón social\b", r"\bcompany instead\b"),
    "address": (
        r"(?<!mail )\b(?:address|adresse|anschrift|dirección|street)\b",
        r"\b(?:we|i) (?:have )?moved\b",
        r"\brelocat\w+",
    ),
    "other": (r"\bphone\b", r"\bpo number\b", r"\bpurchase order\b", r"\btelephone\b"),
}


def find_seats(text: str) -> tuple[int | None, int | None]:
    """(how many in all, how many more or, negative, fewer): at most one of the two."""
    for sign, patterns in ((-1, _REMOVED), (1, _ADDED)):
        if (found := _first(patterns, text)) is not None:
            return None, sign * found
    return _first(_EXACTLY, text), None


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> int | None:
    for pattern in patterns:
        if match := pattern.search(text):
            counted = match.groupdict().get("count")
            return count_of(counted) if counted else 1
    return None


def find_interval(text: str) -> Literal["year", "month"] | None:
    """Which of the two a price is wanted for; of both, the one that it is to change to."""
    named = [interval for interval, words in _INTERVALS.items() if re.search(rf"(?i)\b{words}\b", text)]
    if len(named) == 1:
        return named[0]
    aimed = [
        each
        for each in named
        if re.search(rf"(?i)\b(?:to|into|auf|zu|a|al|à|au)\s+(?:\w+\s+)?{_INTERVALS[each]}\b", text)
    ]
    return aimed[0] if len(aimed) == 1 else None


def find_company(text: str) -> str | None:
    """The new name on invoices, where it is named as one; in quotes, or up to where the wish ends."""
    match = _NAME.search(text)
    if match is None:
        return None
    quoted = _QUOTED.search(match["name"])
    return as_name(quoted.group(1) if quoted else match["name"])


def as_name(text: str) -> str | None:
    """The text as a name: one line, without what is said around it."""
    name = " ".join(text.split()).strip(' "“”„«»')
    while (shorter := _TAIL.sub("", name)) != name and shorter:
        name = shorter
    is_name = 2 <= len(name) <= LONGEST_NAME and any(map(str.isalpha, name)) and "@" not in name
    return name if is_name else None


def find_fields(text: str) -> tuple[Field, ...]:
    """Which of the billing details are spoken of."""
    return tuple(name for name, words in _FIELDS.items() if re.search(rf"(?i){'|'.join(words)}", text))
