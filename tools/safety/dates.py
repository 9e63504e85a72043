"""Dates and spans of time as English, German, Spanish and French write them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from babel.dates import get_month_names

_LOCALES = ("en", "de", "es", "fr")
_ENGLISH_SHORT = {"sept": 9}


def _months() -> dict[str, int]:
    names = dict(_ENGLISH_SHORT)
    for locale in _LOCALES:
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=locale).items():
                names[name.lower().rstrip(".")] = number
    return names


_MONTHS = _months()
_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_TWO = r"\d{1,2}"
_YEAR = r"(?P<year>\d{4})"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\w-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)",
        rf"(?<!\w){_DAY}\s+(?:de\s+|of\s+)?(?P<name>{_MONTH})\b\.?(?:,?\s+(?:de\s+|del\s+)?{_YEAR})?",
        rf"(?<!\w)(?P<name>{_MONTH})\b\.?\s+(?:the\s+)?{_DAY}(?![\d.,]*\d%|\w)(?:,?\s+{_YEAR})?",
        rf"(?<!\w)(?P<name>{_MONTH})\b\.?,?\s+(?:de\s+|of\s+)?{_YEAR}",
        rf"(?<![\w/.-])(?P<first>{_TWO})(?P<mark>[./-])(?P<second>{_TWO})(?P=mark)(?P<short>\d{{4}}|\d\d)(?![\w/-]|\.\d)",
    )
)


@dataclass(frozen=True, kw_only=True)
class WrittenDate:
    start: int
    end: int
    text: str
    readings: frozenset[str]
    """ISO dates or parts of them: `2026-11-23`, `2026-11`, `11-23`. Empty when no such day exists."""


def _real(year: int, month: int, day: int) -> Iterator[str]:
    with suppress(ValueError):
        yield date(year, month, day).isoformat()


def _readings(found: dict[str, str | None]) -> Iterator[str]:
    year, day = found.get("year"), found.get("day")
    if (first := found.get("first")) and (second := found.get("second")):
        short = str(found["short"])
        full = int(short) + (2000 if len(short) == 2 else 0)
        yield from _real(full, int(second), int(first))
        # Only English writes the month first, and never with dots.
        if found["mark"] != ".":
            yield from _real(full, int(first), int(second))
        return
    month = _MONTHS[str(found["name"]).lower()] if found.get("name") else int(found["month"] or 0)
    if year and day:
        yield from _real(int(year), month, int(day))
    elif year:
        yield f"{year}-{month:02d}"
    else:
        yield f"{month:02d}-{int(day or 0):02d}"


def find_dates(text: str) -> tuple[WrittenDate, ...]:
    """Every date, none twice; where patterns overlap the fuller one is kept."""
    kept: list[WrittenDate] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            start, end = match.span()
            is_word = match.groupdict().get("name") in {"may", "march"} and not match["year"]
            if not is_word and all(end <= other.start or start >= other.end for other in kept):
                readings = frozenset(_readings(match.groupdict()))
                kept.append(WrittenDate(start=start, end=end, text=match.group(), readings=readings))
    return tuple(sorted(kept, key=lambda found: found.start))


def is_borne_out(found: WrittenDate, dates: frozenset[str]) -> bool:
    return any(iso == r or iso.startswith(f"{r}-") or iso.endswith(f"-{r}") for r in found.readings for iso in dates)


_UNITS = {
    "business day": (
        r"(?:business|working|banking)[\s-]days?|(?:bank)?werktag(?:en?|e)?|arbeitstag(?:en?|e)?"
        r"|d[ií]as?\s+(?:h[áa]bil(?:es)?|laborables?)|jours?\s+ouvr(?:[ée]s?|ables?)"
    ),
    "day": r"days?|tag(?:en?|e)?|kalendertag(?:en?|e)?|d[ií]as?(?:\s+naturales)?|jours?",
    "week": r"weeks?|wochen?|semanas?|semaines?",
    "month": r"months?|monat(?:en?|e)?|mes(?:es)?|mois",
    "year": r"years?|jahr(?:en?|e)?|años?|ans?|ann[ée]es?",
    "hour": r"hours?|stunden?|horas?|heures?|hrs?",
    "minute": r"minutes?|minuten?|minutos?|mins?",
}
_NUMBERS = {
    1: "one eine einer eins", 2: "two zwei dos deux", 3: "three drei tres trois", 4: "four vier cuatro quatre",
    5: "five fünf cinco cinq", 6: "six sechs seis", 7: "seven sieben siete sept", 8: "eight acht ocho huit",
    9: "nine neun nueve neuf", 10: "ten zehn diez dix", 11: "eleven elf once onze", 12: "twelve zwölf doce douze",
    14: "fourteen vierzehn catorce quatorze", 15: "fifteen fünfzehn quince quinze", 20: "twenty zwanzig veinte vingt",
    30: "thirty dreißig treinta trente", 60: "sixty sechzig sesenta soixante", 90: "ninety neunzig noventa",
}  # fmt: skip
_SMALL = {word: number for number, words in _NUMBERS.items() for word in words.split()}
_COUNT = rf"\d{{1,3}}|{'|'.join(sorted(_SMALL, key=len, reverse=True))}"
_LIMIT = (
    r"(?:up\s+to|at\s+most|within|no\s+more\s+than|bis\s+zu|h[öo]chstens|innerhalb\s+von|hasta|en\s+un\s+plazo\s+de"
    r"|jusqu'[àa]|sous)\s+"
)
_UNIT = "|".join(f"(?P<{name.replace(' ', '_')}>{pattern})" for name, pattern in _UNITS.items())
_DURATION = re.compile(
    rf"(?<![\w.,$€£-])(?P<most>{_LIMIT})?(?P<low>{_COUNT})"
    rf"(?:\s*(?:[-–—]|to|bis|a|à|or|oder|o|ou|and|und|y|et)\s*(?P<high>{_COUNT}))?[\s-]+(?P<unit>{_UNIT})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class WrittenDuration:
    text: str
    low: int
    high: int
    unit: str
    is_limit: bool
    """`within 10 days` says nothing about the low end."""


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _SMALL[word.lower()]


def find_durations(text: str) -> tuple[WrittenDuration, ...]:
    found = []
    for match in _DURATION.finditer(text):
        unit = next(name for name in _UNITS if match[name.replace(" ", "_")])
        low = _number(match["low"])
        high = _number(match["high"]) if match["high"] else low
        found.append(WrittenDuration(text=match.group(), low=low, high=high, unit=unit, is_limit=bool(match["most"])))
    return tuple(found)


def is_promised(claim: WrittenDuration, durations: frozenset[str]) -> bool:
    """The same span, or the far end of a known one as a limit."""
    known = [duration for written in durations for duration in find_durations(written)]
    return any(
        claim.unit == fact.unit
        and claim.high == fact.high
        and (claim.low == fact.low or (claim.is_limit and claim.low == claim.high))
        for fact in known
    )
